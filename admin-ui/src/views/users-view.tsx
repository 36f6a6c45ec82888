import { useState, type FormEvent } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { queries, useQuery } from '../api/use-query.ts'
import { CreateUser, Users, type AccessLevel, type UsersResult } from '../gen/documents.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Field } from '../ui/field.tsx'
import { Moment } from '../ui/moment.tsx'
import { Page } from '../ui/page.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { notify } from '../ui/toasts.ts'
import { UserDialog, type UserOperation } from './user-dialog.tsx'

type User = UsersResult['users'][number]
export const LEVELS: readonly AccessLevel[] = ['VIEWER', 'MANAGER', 'ADMIN']

/** Who may use this engine, and how. */
export function UsersView() {
  const query = useQuery(Users, {})
  return (
    <Page title={t.users.title}>
      <div className="stack">
        <NewUser />
        <QueryView query={query}>{({ users }) => <UserTable users={users} />}</QueryView>
      </div>
    </Page>
  )
}

function NewUser() {
  const [email, setEmail] = useState('')
  const [level, setLevel] = useState<AccessLevel>('VIEWER')
  const [error, setError] = useState<ApiError | null>(null)

  async function create(event: FormEvent): Promise<void> {
    event.preventDefault()
    setError(null)
    try {
      await runOperation(CreateUser, { input: { email, accessLevel: level } })
      notify({ kind: 'done', text: t.users.created(email) })
      setEmail('')
      await queries.refreshAll()
    } catch (thrown) {
      setError(toApiError(thrown))
    }
  }

  return (
    <>
      <form className="inline-form" onSubmit={(event) => void create(event)}>
        <Field label={t.users.email}>
          {(field) => (
            <input
              {...field}
              type="email"
              required
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          )}
        </Field>
        <Field label={t.users.level}>
          {(field) => (
            <select
              {...field}
              value={level}
              onChange={(event) => setLevel(event.target.value as AccessLevel)}
            >
              {LEVELS.map((one) => (
                <option key={one} value={one}>
                  {t.users.levels[one]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Button kind="primary" type="submit">
          {t.users.invite}
        </Button>
      </form>
      {error !== null && <ErrorNote error={error} />}
    </>
  )
}

function UserTable({ users }: { users: readonly User[] }) {
  const me = useMe()
  const [asked, setAsked] = useState<{ user: User; operation: UserOperation } | null>(null)
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col">{t.users.email}</th>
            <th scope="col">{t.users.level}</th>
            <th scope="col">{t.users.lastActivity}</th>
            <th scope="col" className="number">
              {t.users.logins}
            </th>
            <th scope="col">{t.versions.actions}</th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr key={user.email}>
              <th scope="row">{user.email}</th>
              <td>
                {user.globalAccessLevel === null ? '' : t.users.levels[user.globalAccessLevel]}
                {user.grants?.map(({ runtimeId, accessLevel }) => (
                  <p key={runtimeId} className="faint">
                    {runtimeId}: {t.users.levels[accessLevel]}
                  </p>
                ))}
              </td>
              <td>
                <Moment at={user.lastActivity} />
              </td>
              <td className="number">{user.activeSessions ?? 0}</td>
              <td>
                {/* The owner of the development token was created by nobody, and nobody changes himself. */}
                {user.email !== me.email && user.creationDate !== null && (
                  <div className="row-actions">
                    {(['level', 'revoke', 'remove'] as const).map((operation) => (
                      <Button
                        key={operation}
                        kind={operation === 'remove' ? 'danger' : 'plain'}
                        onClick={() => setAsked({ user, operation })}
                      >
                        {t.users.operations[operation].verb}
                      </Button>
                    ))}
                  </div>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {asked !== null && (
        <UserDialog
          email={asked.user.email}
          level={asked.user.globalAccessLevel}
          operation={asked.operation}
          onClose={() => setAsked(null)}
        />
      )}
    </div>
  )
}
