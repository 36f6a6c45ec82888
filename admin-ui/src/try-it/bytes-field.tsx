import { useState } from 'react'
import { t } from '../texts/en.ts'
import { formatBytes } from '../ui/format.ts'
import { Field } from '../ui/field.tsx'
import { base64ToText, fromBase64, textToBase64, toBase64 } from './base64.ts'

/** In JSON it takes a third more, and the engine takes 8 MiB of that. */
const FILE_BYTES_MAX = 4 * 1024 * 1024
const FORMS = ['base64', 'text', 'file'] as const
type Form = (typeof FORMS)[number]

type BytesFieldProps = {
  label: string
  typeText: string
  hint: string
  /** base64 */
  value: string
  onChange: (base64: string) => void
}

/** Bytes, given as base64, as text, or as a file. */
export function BytesField({ label, typeText, hint, value, onChange }: BytesFieldProps) {
  const [form, setForm] = useState<Form>('base64')
  const [problem, setProblem] = useState<string | null>(null)
  const bytes = fromBase64(value)
  const text = form === 'text' ? base64ToText(value) : null
  const size = bytes === null || value === '' ? '' : formatBytes(bytes.length)

  async function take(file: File | undefined): Promise<void> {
    if (file === undefined) return
    if (file.size > FILE_BYTES_MAX) {
      setProblem(t.tryIt.fileTooLarge(formatBytes(file.size)))
      return
    }
    setProblem(null)
    onChange(toBase64(new Uint8Array(await file.arrayBuffer())))
  }
  function choose(next: Form): void {
    setProblem(null)
    setForm(next)
  }
  const error =
    problem ??
    (bytes === null ? t.tryIt.notBase64 : form === 'text' && text === null ? t.tryIt.notText : null)
  return (
    <div className="bytes-field">
      <Field
        label={label}
        type={typeText}
        hint={[size, hint].filter(Boolean).join(' · ')}
        error={error}
      >
        {(field) =>
          form === 'file' ? (
            <input
              {...field}
              type="file"
              onChange={(event) => void take(event.target.files?.[0])}
            />
          ) : (
            <textarea
              {...field}
              className="mono grow-text"
              rows={1}
              spellCheck={false}
              value={form === 'text' ? (text ?? '') : value}
              onChange={(event) =>
                onChange(
                  form === 'text' ? textToBase64(event.target.value) : event.target.value.trim(),
                )
              }
            />
          )
        }
      </Field>
      <span className="bytes-form">
        <span className="faint" aria-hidden="true">
          {t.tryIt.bytesAs}
        </span>{' '}
        <select
          aria-label={`${label} ${t.tryIt.bytesAs}`}
          value={form}
          onChange={(event) => choose(event.target.value as Form)}
        >
          {FORMS.map((one) => (
            <option key={one} value={one}>
              {t.tryIt.bytesForms[one]}
            </option>
          ))}
        </select>
      </span>
    </div>
  )
}
