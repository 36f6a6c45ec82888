import { useState, type FormEvent } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { queries, useQuery } from '../api/use-query.ts'
import {
  DeleteApiToken,
  EndLogin,
  GenerateApiToken,
  Profile,
  type ApiTokenScope,
  type ProfileResult,
} from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { ErrorNote, errorText } from '../ui/error-note.tsx'
import { Field } from '../ui/field.tsx'
import { Moment } from '../ui/moment.tsx'
import { Page } from '../ui/page.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { notify } from '../ui/toasts.ts'

type Me = NonNullable<ProfileResult['me']>

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
                <Tokens tokens={me.apiTokens ?? []} />
              </section>
              <section className="stack-tight">
                <h2>{t.profile.logins}</h2>
                <Logins logins={me.logins ?? []} />
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
    <>
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
    </>
  )
}

function Tokens({ tokens }: { tokens: NonNullable<Me['apiTokens']> }) {
  if (tokens.length === 0) return <p className="faint">{t.profile.noTokens}</p>
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col">{t.profile.tokenName}</th>
            <th scope="col">{t.profile.scope}</th>
            <th scope="col">{t.profile.used}</th>
            <th scope="col">{t.profile.ends}</th>
            <th scope="col">{t.versions.actions}</th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <th scope="row">{token.name}</th>
              <td>{t.profile.scopes[token.scope]}</td>
              <td>
                <Moment at={token.lastActivity} />
              </td>
              <td>
                <Moment at={token.expirationDate} />
              </td>
              <td>
                <Button
                  kind="danger"
                  onClick={() =>
                    void act(
                      () => runOperation(DeleteApiToken, { input: { id: token.id } }),
                      t.profile.tokenDeleted(token.name),
                    )
                  }
                >
                  {t.profile.deleteToken}
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Logins({ logins }: { logins: NonNullable<Me['logins']> }) {
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col">{t.profile.browser}</th>
            <th scope="col">{t.profile.began}</th>
            <th scope="col">{t.profile.used}</th>
            <th scope="col">{t.profile.ends}</th>
            <th scope="col">{t.versions.actions}</th>
          </tr>
        </thead>
        <tbody>
          {logins.map((login) => (
            <tr key={login.id}>
              <th scope="row">
                <span className="clamp">{login.userAgent}</span>
                {login.isCurrent && <span className="tag">{t.profile.current}</span>}
              </th>
              <td>
                <Moment at={login.creationDate} />
              </td>
              <td>
                <Moment at={login.lastActivity} />
              </td>
              <td>
                <Moment at={login.expirationDate} />
              </td>
              <td>
                {!login.isCurrent && (
                  <Button
                    onClick={() =>
                      void act(
                        () => runOperation(EndLogin, { input: { id: login.id } }),
                        t.profile.loginEnded,
                      )
                    }
                  >
                    {t.profile.endLogin}
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

async function act(run: () => Promise<unknown>, done: string): Promise<void> {
  try {
    await run()
    notify({ kind: 'done', text: done })
    await queries.refreshAll()
  } catch (thrown) {
    notify({ kind: 'error', text: errorText(toApiError(thrown)) })
  }
}
