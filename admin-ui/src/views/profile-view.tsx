import { useState, type FormEvent } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { queries, useQuery } from '../api/use-query.ts'
import { GenerateApiToken, Profile, type ApiTokenScope } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Field } from '../ui/field.tsx'
import { Page } from '../ui/page.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { Twin } from '../ui/twin.tsx'
import { LoginTable } from './login-table.tsx'
import { TokenTable } from './token-table.tsx'

/** The own account: API tokens and logins. */
export function ProfileView() {
  const query = useQuery(Profile, {})
  return (
    <Page title={t.profile.title}>
      <QueryView query={query}>
        {({ me }) =>
          me === null ? null : (
            <div className="stack">
              <p>{t.profile.signedInAs(me.email)}</p>
              <section className="stack-tight">
                <h2>{t.profile.tokens}</h2>
                <NewToken />
                <TokenTable tokens={me.apiTokens ?? []} empty={t.profile.noTokens} />
              </section>
              <section className="stack-tight">
                <h2>{t.profile.logins}</h2>
                <LoginTable logins={me.logins ?? []} />
              </section>
            </div>
          )
        }
      </QueryView>
    </Page>
  )
}

function NewToken() {
  const [name, setName] = useState('')
  const [scope, setScope] = useState<ApiTokenScope>('READ')
  const [days, setDays] = useState(90)
  const [made, setMade] = useState<string | null>(null)
  const [error, setError] = useState<ApiError | null>(null)

  async function make(event: FormEvent): Promise<void> {
    event.preventDefault()
    setError(null)
    try {
      const input = { name, scope, expiresInDays: days }
      const { generateApiToken } = await runOperation(GenerateApiToken, { input })
      setMade(generateApiToken)
      setName('')
      await queries.refreshAll()
    } catch (thrown) {
      setError(toApiError(thrown))
    }
  }

  return (
    <div className="panel stack-tight">
      <form className="inline-form" onSubmit={(event) => void make(event)}>
        <Field label={t.profile.tokenName}>
          {(field) => (
            <input
              {...field}
              required
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label={t.profile.scope}>
          {(field) => (
            <select
              {...field}
              value={scope}
              onChange={(event) => setScope(event.target.value === 'FULL' ? 'FULL' : 'READ')}
            >
              <option value="READ">{t.profile.scopes.READ}</option>
              <option value="FULL">{t.profile.scopes.FULL}</option>
            </select>
          )}
        </Field>
        <Field label={t.profile.days}>
          {(field) => (
            <input
              {...field}
              type="number"
              className="short-input"
              min={1}
              max={365}
              required
              value={days}
              onChange={(event) => setDays(event.target.valueAsNumber)}
            />
          )}
        </Field>
        <Button kind="primary" type="submit">
          {t.profile.makeToken}
        </Button>
      </form>
      {error !== null && <ErrorNote error={error} />}
      {made !== null && (
        <div className="note" role="status">
          <p>{t.profile.shownOnce}</p>
          <Code text={made} />
        </div>
      )}
      <Twin
        text={`krectl token create ${shellWord(name || 'NAME')}${scope === 'READ' ? ' --read' : ''} --days ${Number.isNaN(days) ? 'DAYS' : days}`}
      />
    </div>
  )
}
