import { useState, type FormEvent, type ReactNode } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
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
  onClose: () => void
  /** Fields before the comment. */
  children?: ReactNode
  isCommentFirst?: boolean
}

/** Says what will happen, asks why, and does it. */
export function ChangeDialog(props: ChangeDialogProps) {
  const { title, text, verb, isDangerous, isReady = true, twin, change, onClose } = props
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
      setError(toApiError(thrown))
      setBusy(false)
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
