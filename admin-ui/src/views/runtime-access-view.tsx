import { useState } from 'react'
import { useQuery } from '../api/use-query.ts'
import { RuntimeAccess, type AccessLevel, type RuntimeAccessResult } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { highestLevel } from '../session/access.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { Page } from '../ui/page.tsx'
import { Face, QueryView } from '../ui/query-view.tsx'
import { levelOn } from './grants.ts'
import { RuntimeGrantDialog } from './runtime-grant-dialog.tsx'

type User = RuntimeAccessResult['users'][number]
/** By address, as what is known of a user may change while the dialog asks; null = one who is chosen there. */
type Asked = { readonly email: string | null } | null

/** Who may use a runtime, and how. For administrators. */
export function RuntimeAccessView({ runtimeId }: { runtimeId: string }) {
  const query = useQuery(RuntimeAccess, { runtimeId })
  const me = useMe()
  const [asked, setAsked] = useState<Asked>(null)
  const name = query.data?.runtime.name ?? runtimeId
  const crumbs = [
    { text: t.shell.runtimes, href: paths.runtimes() },
    { text: name, href: paths.versions(runtimeId) },
  ]
  const give = query.data !== undefined && (
    <Button kind="primary" onClick={() => setAsked({ email: null })}>
      {t.access.give}
    </Button>
  )
  return (
    <Page title={t.access.titleOf(name)} crumbs={crumbs} actions={give}>
      <QueryView query={query}>
        {({ users }) => (
          <>
            <AccessTable
              users={users}
              runtimeId={runtimeId}
              ownEmail={me.email}
              onChange={({ email }) => setAsked({ email })}
            />
            {asked !== null && (
              <RuntimeGrantDialog
                runtimeId={runtimeId}
                runtimeName={name}
                user={users.find(({ email }) => email === asked.email) ?? null}
                candidates={users.filter(
                  ({ email, grants }) =>
                    email !== me.email && levelOn(grants ?? [], runtimeId) === null,
                )}
                onClose={() => setAsked(null)}
              />
            )}
          </>
        )}
      </QueryView>
    </Page>
  )
}

type AccessTableProps = {
  users: readonly User[]
  runtimeId: string
  ownEmail: string
  onChange: (user: User) => void
}

function AccessTable({ users, runtimeId, ownEmail, onChange }: AccessTableProps) {
  const levelHere = (user: User): AccessLevel | null => levelOn(user.grants ?? [], runtimeId)
  const result = (user: User) => highestLevel([user.globalAccessLevel, levelHere(user)])
  const text = (level: AccessLevel | null) =>
    level === null ? <span className="faint">{t.access.none}</span> : t.users.levels[level]
  return (
    <DataTable
      label={t.access.title}
      rows={users.filter((user) => result(user) !== null)}
      keyOf={({ email }) => email}
      empty={<Face title={t.access.emptyTitle} text={t.access.empty} />}
      columns={[
        {
          key: 'user',
          title: t.users.email,
          kind: 'name',
          cell: ({ email }) => email,
          sortBy: ({ email }) => email,
        },
        {
          key: 'engine',
          title: t.access.engineLevel,
          cell: ({ globalAccessLevel }) => text(globalAccessLevel),
          sortBy: ({ globalAccessLevel }) => globalAccessLevel,
        },
        {
          key: 'runtime',
          title: t.access.runtimeLevel,
          cell: (user) => text(levelHere(user)),
          sortBy: levelHere,
        },
        {
          key: 'result',
          title: t.access.result,
          cell: (user) => {
            const level = result(user)
            return level === null ? null : t.access.may[level]
          },
        },
        {
          key: 'actions',
          title: t.versions.actions,
          cell: (user) =>
            // Nobody changes himself, and nobody changes the owner of the development token.
            user.email !== ownEmail &&
            user.creationDate !== null && (
              <div className="row-actions">
                <Button onClick={() => onChange(user)}>{t.access.change}</Button>
              </div>
            ),
        },
      ]}
    />
  )
}
