import { useState, type FormEvent } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { queries, useQuery } from '../api/use-query.ts'
import { CreateUser, Users, type AccessLevel } from '../gen/documents.ts'
import { hasLevel } from '../session/access.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Field } from '../ui/field.tsx'
import { Page } from '../ui/page.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { notify } from '../ui/toasts.ts'
import { Twin } from '../ui/twin.tsx'
import { UserTable } from './user-table.tsx'

export const LEVELS: readonly AccessLevel[] = ['VIEWER', 'MANAGER', 'ADMIN']

/** Who may use this engine, and how. */
export function UsersView() {
  const query = useQuery(Users, {})
  const mayAdd = hasLevel(useMe(), 'ADMIN', null)
  return (
    <Page title={t.users.title}>
      <div className="stack">
        {mayAdd && <NewUser />}
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
    <div className="panel stack-tight">
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
      <Twin text={`krectl user create ${shellWord(email || 'EMAIL')} --level ${level}`} />
    </div>
  )
}
