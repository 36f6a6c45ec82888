import type { ApiError } from '../api/api-error.ts'
import { t } from '../texts/en.ts'

/** An error where it happened: what, and where the engine's log has more. */
export function ErrorNote({ error }: { error: ApiError }) {
  return (
    <div className="note note-error" role="alert">
      <p>{errorText(error)}</p>
      {error.requestId !== '' && <p className="faint">{t.errors.requestId(error.requestId)}</p>}
    </div>
  )
}

export function errorText({ code, message }: ApiError): string {
  if (code === 'UNREACHABLE') return t.errors.unreachable
  if (code === 'UNAUTHORIZED') return t.errors.signedOut
  if (code === 'PERSISTED_QUERY_NOT_FOUND') return t.errors.otherVersion
  return message === '' ? t.errors.unknown(code) : message
}
