import { useId } from 'react'
import { t } from '../texts/en.ts'

type JsonEditorProps = {
  label: string
  text: string
  error: string | null
  rows?: number
  placeholder?: string
  onChange: (text: string) => void
}

/** JSON as text, with what is wrong with it below. */
export function JsonEditor({
  label,
  text,
  error,
  rows = 12,
  placeholder,
  onChange,
}: JsonEditorProps) {
  const id = useId()
  return (
    <div className="field">
      <textarea
        className="mono json-text"
        aria-label={label}
        aria-invalid={error !== null}
        aria-describedby={`${id}-error`}
        rows={rows}
        spellCheck={false}
        autoCapitalize="off"
        placeholder={placeholder}
        value={text}
        onChange={(event) => onChange(event.target.value)}
      />
      <p id={`${id}-error`} className="hint hint-error">
        {error === null ? '' : t.tryIt.notJson(error)}
      </p>
    </div>
  )
}
