import { useState } from 'react'
import type { UserActivityType } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'

/** Empty = any. Dates are days, as `2026-01-31`. */
export type AuditChoice = {
  readonly email: string
  readonly type: UserActivityType | ''
  readonly from: string
  readonly to: string
}

export const NOTHING_CHOSEN: AuditChoice = { email: '', type: '', from: '', to: '' }

/** Asks which part of the audit log is wanted. */
export function AuditFilter({ onChoose }: { onChoose: (choice: AuditChoice) => void }) {
  const [choice, setChoice] = useState(NOTHING_CHOSEN)
  return (
    <form
      className="inline-form"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        onChoose({ ...choice, email: choice.email.trim() })
      }}
    >
      <Field label={t.audit.who}>
        {(field) => (
          <input
            {...field}
            type="email"
            placeholder={t.users.email}
            value={choice.email}
            onChange={(event) => setChoice({ ...choice, email: event.target.value })}
          />
        )}
      </Field>
      <Field label={t.audit.type}>
        {(field) => (
          <select
            {...field}
            value={choice.type}
            onChange={(event) =>
              setChoice({ ...choice, type: event.target.value as UserActivityType | '' })
            }
          >
            <option value="">{t.audit.anyType}</option>
            {Object.entries(t.audit.types).map(([type, words]) => (
              <option key={type} value={type}>
                {words}
              </option>
            ))}
          </select>
        )}
      </Field>
      {(['from', 'to'] as const).map((end) => (
        <Field key={end} label={t.audit[end]}>
          {(field) => (
            <input
              {...field}
              type="date"
              value={choice[end]}
              onChange={(event) => setChoice({ ...choice, [end]: event.target.value })}
            />
          )}
        </Field>
      ))}
      <Button type="submit">{t.audit.filter}</Button>
    </form>
  )
}
