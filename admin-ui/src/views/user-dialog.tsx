import { useState, type FormEvent } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { queries } from '../api/use-query.ts'
import {
  RemoveUsers,
  RevokeUserSessions,
  UpdateAccessLevel,
  type AccessLevel,
} from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Field } from '../ui/field.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { notify } from '../ui/toasts.ts'
import { CommentField } from './comment-field.tsx'

export type UserOperation = 'level' | 'revoke' | 'remove'

type UserDialogProps = {
  email: string
  level: AccessLevel | null
  operation: UserOperation
  onClose: () => void
}

/** Asks why, and changes a user. */
export function UserDialog({ email, level, operation, onClose }: UserDialogProps) {
  const [comment, setComment] = useState('')
  const [wanted, setWanted] = useState<AccessLevel | ''>(level ?? '')
  const [error, setError] = useState<ApiError | null>(null)
  const [isBusy, setBusy] = useState(false)
  const words = t.users.operations[operation]
  const why = comment.trim()

  async function run(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setError(null)
    const input = { userIds: [email], comment: why }
    try {
      if (operation === 'remove') await runOperation(RemoveUsers, { input })
      else if (operation === 'revoke') await runOperation(RevokeUserSessions, { input })
      else
        await runOperation(UpdateAccessLevel, {
          input: { ...input, accessLevel: wanted === '' ? null : wanted },
        })
      notify({ kind: 'done', text: words.done(email) })
      onClose()
      await queries.refreshAll()
    } catch (thrown) {
      setError(toApiError(thrown))
      setBusy(false)
    }
  }

  return (
    <Dialog title={words.title(email)} onClose={onClose}>
      <form className="stack-tight" onSubmit={(event) => void run(event)}>
        <p>{words.consequence}</p>
        {operation === 'level' && (
          <Field label={t.users.level}>
            {(field) => (
              <select
                {...field}
                value={wanted}
                onChange={(event) => setWanted(event.target.value as AccessLevel | '')}
              >
                <option value="">{t.users.noLevel}</option>
                {(['VIEWER', 'MANAGER', 'ADMIN'] as const).map((one) => (
                  <option key={one} value={one}>
                    {t.users.levels[one]}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <CommentField comment={comment} onChange={setComment} />
        {error !== null && <ErrorNote error={error} />}
        <p className="twin">
          {t.common.twin}{' '}
          <Code
            text={`krectl user ${operation} ${operation === 'level' ? `${wanted || 'NONE'} ` : ''}${shellWord(email)} --comment ${shellWord(why)}`}
          />
        </p>
        <div className="actions">
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button
            kind={operation === 'remove' ? 'danger' : 'primary'}
            type="submit"
            isBusy={isBusy}
          >
            {words.verb}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
