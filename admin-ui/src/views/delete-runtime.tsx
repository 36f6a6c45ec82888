import { useState, type FormEvent } from 'react'
import { useLocation } from 'wouter'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { queries } from '../api/use-query.ts'
import { DeleteRuntime as Delete, type RuntimeFacts } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Field } from '../ui/field.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { notify } from '../ui/toasts.ts'
import { CommentField } from './comment-field.tsx'

/** Deletes a runtime with its data, after its id was typed: nothing brings that back. */
export function DeleteRuntime({ runtime }: { runtime: RuntimeFacts }) {
  const [isAsked, setAsked] = useState(false)
  return (
    <p className="page-end">
      <Button kind="quiet" onClick={() => setAsked(true)}>
        {t.versions.deleteRuntime}
      </Button>
      {isAsked && <Question runtime={runtime} onClose={() => setAsked(false)} />}
    </p>
  )
}

function Question({ runtime, onClose }: { runtime: RuntimeFacts; onClose: () => void }) {
  const [, navigate] = useLocation()
  const [typed, setTyped] = useState('')
  const [comment, setComment] = useState('')
  const [error, setError] = useState<ApiError | null>(null)
  const [isBusy, setBusy] = useState(false)

  async function run(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setError(null)
    try {
      await runOperation(Delete, { input: { id: runtime.id, comment: comment.trim() } })
      notify({ kind: 'done', text: t.versions.runtimeDeleted(runtime.name) })
      navigate(paths.runtimes())
      await queries.refreshAll()
    } catch (thrown) {
      setError(toApiError(thrown))
      setBusy(false)
    }
  }

  return (
    <Dialog title={t.versions.deleteRuntimeTitle(runtime.name)} onClose={onClose}>
      <form className="stack-tight" onSubmit={(event) => void run(event)}>
        <p>{t.versions.deleteRuntimeText}</p>
        <Field label={t.versions.typeId(runtime.id)}>
          {(field) => (
            <input
              {...field}
              required
              autoFocus
              className="mono"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
        <CommentField comment={comment} onChange={setComment} isFirst={false} />
        {error !== null && <ErrorNote error={error} />}
        <p className="twin">
          {t.common.twin}{' '}
          <Code
            text={`krectl runtime delete ${runtime.id} --comment ${shellWord(comment.trim())}`}
          />
        </p>
        <div className="actions">
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button kind="danger" type="submit" isBusy={isBusy} disabled={typed !== runtime.id}>
            {t.versions.deleteRuntime}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
