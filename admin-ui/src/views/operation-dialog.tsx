import type { VersionOperation } from '@kre/contracts/version-status'
import { useState, type FormEvent } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { queries } from '../api/use-query.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { notify } from '../ui/toasts.ts'
import { CommentField } from './comment-field.tsx'
import type { OperationSubject } from './operation-subject.ts'
import { cliTwin, OPERATION_DOCUMENTS } from './version-operations.ts'

type OperationDialogProps = {
  operation: VersionOperation
  subject: OperationSubject
  onClose: () => void
  onDone?: (operation: VersionOperation) => void
}

/** Says what will happen, asks why, and does it. */
export function OperationDialog({ operation, subject, onClose, onDone }: OperationDialogProps) {
  const [comment, setComment] = useState('')
  const [error, setError] = useState<ApiError | null>(null)
  const [isBusy, setBusy] = useState(false)
  const { runtimeId, versionName } = subject
  const words = t.operations[operation]

  async function run(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setError(null)
    try {
      const input = { runtimeId, versionName, comment: comment.trim() }
      await runOperation(OPERATION_DOCUMENTS[operation], { input })
      notify({ kind: 'done', text: words.done(versionName) })
      onClose()
      onDone?.(operation)
      await queries.refreshAll()
    } catch (thrown) {
      setError(toApiError(thrown))
      setBusy(false)
    }
  }

  return (
    <Dialog title={words.title(versionName)} onClose={onClose}>
      <form className="stack-tight" onSubmit={(event) => void run(event)}>
        <p>{words.consequence(subject)}</p>
        <CommentField comment={comment} onChange={setComment} />
        {error !== null && <ErrorNote error={error} />}
        <p className="twin">
          {t.common.twin} <Code text={cliTwin(operation, { runtimeId, versionName, comment })} />
        </p>
        <div className="actions">
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button
            kind={operation === 'delete' ? 'danger' : 'primary'}
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
