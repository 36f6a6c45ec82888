import { useState, type FormEvent, type ReactNode } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { queries } from '../api/use-query.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { CommentField } from './comment-field.tsx'

type ChangeDialogProps = {
  title: string
  /** What will happen. */
  text: ReactNode
  verb: string
  isDangerous: boolean
  /** False while something is missing that the browser does not see. */
  isReady?: boolean
  /** The same on the command line. */
  twin: (comment: string) => string
  /** @param comment without blanks around it. @throws what is shown: the dialog stays, with what was typed. */
  change: (comment: string) => Promise<void>
  /** What was read is not true any more, as somebody else was faster: makes the dialog say what would happen now. */
  onStale?: () => void
  onClose: () => void
  /** Fields before the comment. */
  children?: ReactNode
  isCommentFirst?: boolean
}

/** Says what will happen, asks why, and does it. */
export function ChangeDialog(props: ChangeDialogProps) {
  const { title, text, verb, isDangerous, isReady = true, twin, change, onStale, onClose } = props
  const [comment, setComment] = useState('')
  const [error, setError] = useState<ApiError | null>(null)
  const [isBusy, setBusy] = useState(false)

  async function run(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setError(null)
    try {
      await change(comment.trim())
    } catch (thrown) {
      const problem = toApiError(thrown)
      if (problem.code === 'ABORTED') await queries.refreshAll()
      setError(problem)
      setBusy(false)
      if (problem.code === 'ABORTED') onStale?.()
    }
  }

  return (
    <Dialog title={title} onClose={onClose}>
      <form className="stack-tight" onSubmit={(event) => void run(event)}>
        <p>{text}</p>
        {props.children}
        <CommentField comment={comment} onChange={setComment} isFirst={props.isCommentFirst} />
        {error !== null && <ErrorNote error={error} />}
        <p className="twin">
          {t.common.twin} <Code text={twin(comment)} />
        </p>
        <div className="actions">
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button
            kind={isDangerous ? 'danger' : 'primary'}
            type="submit"
            isBusy={isBusy}
            disabled={!isReady}
          >
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
