import { t } from '../texts/en.ts'
import { Field } from '../ui/field.tsx'

/** As the API takes them. */
export const COMMENT_CHARS_MAX = 500

type CommentFieldProps = {
  comment: string
  onChange: (comment: string) => void
  /** The first thing that is asked. */
  isFirst?: boolean | undefined
}

/** Why somebody does what they are about to do: every change asks for it, and the audit log keeps it. */
export function CommentField({ comment, onChange, isFirst = true }: CommentFieldProps) {
  return (
    <Field label={t.operations.comment} hint={t.operations.commentHint}>
      {(field) => (
        <input
          {...field}
          required
          autoFocus={isFirst}
          maxLength={COMMENT_CHARS_MAX}
          // Blanks alone are no reason.
          pattern=".*\S.*"
          value={comment}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  )
}
