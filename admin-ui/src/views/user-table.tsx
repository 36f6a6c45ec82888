import { useState } from 'react'
import { Link } from 'wouter'
import type { UsersResult } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { momentColumn } from '../ui/moment-column.tsx'
import { GrantsDialog } from './grants-dialog.tsx'
import type { Grant } from './grants.ts'
import { UserDialog, type UserOperation } from './user-dialog.tsx'

type User = UsersResult['users'][number]
/** By address: what is known of a user may change while a dialog asks. */
type Asked = { readonly email: string; readonly operation: UserOperation | 'grants' } | null
const OPERATIONS = ['level', 'grants', 'revoke', 'remove'] as const

/** Everybody who may sign in, with what they may and what can be done about it. */
export function UserTable({ users }: { users: readonly User[] }) {
  const me = useMe()
  const [asked, setAsked] = useState<Asked>(null)
  const close = (): void => setAsked(null)
  const user = users.find(({ email }) => email === asked?.email)
  return (
    <>
      <DataTable
        label={t.users.title}
        rows={users}
        keyOf={({ email }) => email}
        columns={[
          {
            key: 'user',
            title: t.users.email,
            kind: 'name',
            cell: ({ email }) => (
              <Link href={paths.user(email)} title={t.account.open(email)}>
                {email}
              </Link>
            ),
            sortBy: ({ email }) => email,
          },
          {
            key: 'level',
            title: t.users.level,
            cell: ({ globalAccessLevel: level }) =>
              level === null ? (
                <span className="faint">{t.access.none}</span>
              ) : (
                t.users.levels[level]
              ),
            sortBy: ({ globalAccessLevel }) => globalAccessLevel,
          },
          {
            key: 'grants',
            title: t.access.grants,
            cell: ({ grants, globalAccessLevel }) => (
              <GrantTags grants={grants ?? []} seesAll={globalAccessLevel !== null} />
            ),
            sortBy: ({ grants }) => grants?.length ?? 0,
          },
          momentColumn('active', t.users.lastActivity, ({ lastActivity }: User) => lastActivity),
          {
            key: 'logins',
            title: t.users.logins,
            kind: 'number',
            cell: ({ activeSessions }) => activeSessions ?? 0,
            sortBy: ({ activeSessions }) => activeSessions ?? 0,
          },
          {
            key: 'actions',
            title: t.versions.actions,
            cell: (user) =>
              // The owner of the development token was created by nobody, and nobody changes himself.
              user.email !== me.email &&
              user.creationDate !== null && (
                <div className="row-actions">
                  {OPERATIONS.map((operation) => (
                    <Button
                      key={operation}
                      kind={operation === 'remove' ? 'danger' : 'plain'}
                      onClick={() => setAsked({ email: user.email, operation })}
                    >
                      {operation === 'grants'
                        ? t.access.grants
                        : t.users.operations[operation].verb}
                    </Button>
                  ))}
                </div>
              ),
          },
        ]}
      />
      {user !== undefined && asked?.operation === 'grants' && (
        <GrantsDialog email={user.email} grants={user.grants ?? []} onClose={close} />
      )}
      {user !== undefined && asked !== null && asked.operation !== 'grants' && (
        <UserDialog
          email={user.email}
          level={user.globalAccessLevel}
          operation={asked.operation}
          onClose={close}
        />
      )}
    </>
  )
}

type GrantTagsProps = { grants: readonly Grant[]; seesAll: boolean }

function GrantTags({ grants, seesAll }: GrantTagsProps) {
  if (grants.length === 0)
    return <span className="faint">{seesAll ? t.access.all : t.access.none}</span>
  return (
    <ul className="tag-list">
      {grants.map(({ runtimeId, accessLevel }) => (
        <li key={runtimeId} className="tag">
          {runtimeId}: {t.users.levels[accessLevel]}
        </li>
      ))}
    </ul>
  )
}
