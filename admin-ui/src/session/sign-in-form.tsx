import { useState, type FormEvent } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { apiUrl } from '../api/app-base.ts'
import { send } from '../api/send.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Field } from '../ui/field.tsx'
import { checkSession } from './session.ts'
import { signInMethods } from './sign-in-methods.ts'

/** Leads in: by mail, by an identity provider, or by a link from the command line. */
export function SignInForm() {
  const methods = signInMethods()
  return (
    <div className="stack sign-in-form">
      {methods.mail && <MailForm />}
      {methods.mail && methods.oidc && <p className="sign-in-or">{t.signIn.or}</p>}
      {methods.oidc && (
        <a
          className={methods.mail ? 'button' : 'button button-primary'}
          href={apiUrl('api/v1/auth/oidc')}
        >
          {t.signIn.provider}
        </a>
      )}
      <div className="stack-tight">
        <p className="hint">
          {methods.mail || methods.oidc ? t.signIn.orCommandLine : t.signIn.commandLine}
        </p>
        <Code text="krectl login" />
      </div>
      <Button onClick={() => void checkSession()}>{t.signIn.check}</Button>
    </div>
  )
}

function MailForm() {
  const [email, setEmail] = useState('')
  const [code, setCode] = useState<string | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [isSending, setSending] = useState(false)

  async function ask(event: FormEvent): Promise<void> {
    event.preventDefault()
    setSending(true)
    setError(null)
    try {
      const answer = await send('api/v1/auth/signin', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: email.trim() }),
      })
      setCode(answer.headers.get('x-kre-sign-in-code') ?? '')
    } catch (thrown) {
      setError(toApiError(thrown))
    } finally {
      setSending(false)
    }
  }

  if (code !== null)
    return (
      <div className="stack-tight" role="status">
        <h2>{t.signIn.sentTitle}</h2>
        <p>{t.signIn.sent(email.trim())}</p>
        {code !== '' && (
          <p>
            {t.signIn.otherBrowser} <strong className="sign-in-code">{code}</strong>
          </p>
        )}
        <div>
          <Button onClick={() => setCode(null)}>{t.signIn.again}</Button>
        </div>
      </div>
    )
  return (
    <form className="stack-tight" onSubmit={(event) => void ask(event)}>
      <Field label={t.signIn.email}>
        {(field) => (
          <input
            {...field}
            type="email"
            autoComplete="email"
            required
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </Field>
      {error !== null && <ErrorNote error={error} />}
      <div>
        <Button kind="primary" type="submit" isBusy={isSending}>
          {t.signIn.send}
        </Button>
      </div>
    </form>
  )
}
