import { useEffect, useState } from 'react'
import { useQuery } from '../api/use-query.ts'
import { Runtimes, VersionNames, type UserActivityType } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import type { AuditChoice } from './audit-choice.ts'

/** Of an id that no version has any more: enough to tell some of them apart. */
const ID_CHARS = 8

type AuditFilterProps = {
  /** What is shown now. */
  choice: AuditChoice
  onChoose: (choice: AuditChoice) => void
}

/** Asks which part of the audit log is wanted. */
export function AuditFilter({ choice: shown, onChoose }: AuditFilterProps) {
  const [choice, setChoice] = useState(shown)
  const key = JSON.stringify(shown)
  // A link in the table, or the way back, shows another part.
  useEffect(() => setChoice(shown), [key])
  const set = (change: Partial<AuditChoice>): void => setChoice({ ...choice, ...change })
  return (
    <form
      className="inline-form"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        onChoose({ ...choice, who: choice.who.trim() })
      }}
    >
      <Field label={t.audit.who}>
        {(field) => (
          <input
            {...field}
            // Not of the type for addresses: failed sign-ins are of "anonymous".
            type="text"
            inputMode="email"
            autoComplete="off"
            placeholder={t.users.email}
            value={choice.who}
            onChange={(event) => set({ who: event.target.value })}
          />
        )}
      </Field>
      <Field label={t.audit.type}>
        {(field) => (
          <select
            {...field}
            value={choice.type}
            onChange={(event) => set({ type: event.target.value as UserActivityType | '' })}
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
      <Place choice={choice} onChange={set} />
      {(['from', 'to'] as const).map((end) => (
        <Field key={end} label={t.audit[end]}>
          {(field) => (
            <input
              {...field}
              type="date"
              value={choice[end]}
              onChange={(event) => set({ [end]: event.target.value })}
            />
          )}
        </Field>
      ))}
      <Button type="submit">{t.audit.filter}</Button>
    </form>
  )
}

type PlaceProps = { choice: AuditChoice; onChange: (change: Partial<AuditChoice>) => void }

/** A runtime, and one of its versions. What the address names and is not there any more is shown as it is. */
function Place({ choice: { runtime, version }, onChange }: PlaceProps) {
  const runtimes = useQuery(Runtimes, {}).data?.runtimes ?? []
  const versions = useQuery(VersionNames, runtime === '' ? null : { runtimeId: runtime }).data
  const isThere = versions?.versions.some(({ id }) => id === version) ?? false
  return (
    <>
      <Field label={t.audit.runtime}>
        {(field) => (
          <select
            {...field}
            value={runtime}
            onChange={(event) => onChange({ runtime: event.target.value, version: '' })}
          >
            <option value="">{t.audit.anyPlace}</option>
            {runtime !== '' && runtimes.every(({ id }) => id !== runtime) && (
              <option value={runtime}>{runtime}</option>
            )}
            {runtimes.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t.audit.version}>
        {(field) => (
          <select
            {...field}
            value={version}
            disabled={runtime === '' && version === ''}
            onChange={(event) => onChange({ version: event.target.value })}
          >
            <option value="">{t.audit.anyPlace}</option>
            {version !== '' && !isThere && (
              <option value={version}>{t.audit.goneVersion(version.slice(0, ID_CHARS))}</option>
            )}
            {versions?.versions.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
    </>
  )
}
