import { useState } from 'react'
import { t } from '../texts/en.ts'
import { formatJson, parseJson, type Json } from './json.ts'
import { JsonEditor } from './json-editor.tsx'

type JsonFieldProps = {
  label: string
  hint: string
  value: Json
  onChange: (value: Json) => void
}

/** A value whose shape the protos do not say. What is typed stays while it is no JSON. */
export function JsonField({ label, hint, value, onChange }: JsonFieldProps) {
  const [draft, setDraft] = useState({ text: formatJson(value), value, error: '' })
  // Another value came from outside.
  const text = draft.value === value ? draft.text : formatJson(value)

  function change(typed: string): void {
    try {
      const parsed = parseJson(typed)
      setDraft({ text: typed, value: parsed, error: '' })
      onChange(parsed)
    } catch (thrown) {
      setDraft({ text: typed, value, error: thrown instanceof Error ? thrown.message : '' })
    }
  }
  return (
    <>
      <JsonEditor
        label={label}
        text={text}
        rows={3}
        error={draft.error !== '' && draft.value === value ? draft.error : null}
        placeholder={t.tryIt.json}
        onChange={change}
      />
      <p className="hint">{hint}</p>
    </>
  )
}
