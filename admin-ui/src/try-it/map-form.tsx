import { useState } from 'react'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Field as LabeledField } from '../ui/field.tsx'
import { FieldName } from './field-name.tsx'
import { isObject, withKey, type Json } from './json.ts'
import { initialValue, type Field, type TypeIndex } from './message-types.ts'
import { ValueForm } from './value-form.tsx'

type MapFormProps = {
  field: Field
  value: Json | undefined
  types: TypeIndex
  hint: string
  onChange: (value: Json | undefined) => void
}

/** Entries of a map; in JSON it is an object, so that each key is there once. */
export function MapForm({ field, value, types, hint, onChange }: MapFormProps) {
  const map = isObject(value) ? value : {}
  const entries = Object.entries(map)
  const change = (next: readonly (readonly [string, Json])[]) =>
    onChange(next.length === 0 ? undefined : Object.fromEntries(next))
  return (
    <fieldset className="part">
      <legend>
        <FieldName field={field} />
      </legend>
      <p className="hint">{hint}</p>
      {entries.map(([key, item], index) => (
        <div key={index} className="part-item part-entry">
          <KeyInput
            value={key}
            isTaken={(next) => next !== key && Object.hasOwn(map, next)}
            onChange={(next) =>
              change(entries.map(([old, one]) => [old === key ? next : old, one]))
            }
          />
          <ValueForm
            field={field}
            label={t.tryIt.value}
            value={item}
            types={types}
            onChange={(next) => onChange(withKey(map, key, next ?? initialValue(field, types)))}
          />
          <button
            type="button"
            className="link"
            aria-label={t.tryIt.remove(`${field.name} ${key}`)}
            onClick={() => change(entries.filter(([old]) => old !== key))}
          >
            ×
          </button>
        </div>
      ))}
      <Button
        className="add-part"
        onClick={() =>
          change([...entries, [freeKey(map, field.keyType), initialValue(field, types)]])
        }
      >
        {t.tryIt.add(field.name)}
      </Button>
    </fieldset>
  )
}

type KeyInputProps = {
  value: string
  isTaken: (key: string) => boolean
  onChange: (key: string) => void
}

/** What is typed on the way to a key may be another entry's: then it is not taken over yet. */
function KeyInput({ value, isTaken, onChange }: KeyInputProps) {
  const [draft, setDraft] = useState<string | null>(null)
  return (
    <LabeledField
      label={t.tryIt.key}
      error={draft !== null && isTaken(draft) ? t.tryIt.keyTaken : null}
    >
      {(described) => (
        <input
          {...described}
          value={draft ?? value}
          onChange={({ target }) => {
            const taken = isTaken(target.value)
            setDraft(taken ? target.value : null)
            if (!taken) onChange(target.value)
          }}
        />
      )}
    </LabeledField>
  )
}

/** A key that no entry has, of the right type. */
function freeKey(map: object, keyType: string | null): string {
  if (keyType === 'bool') return Object.hasOwn(map, 'false') ? 'true' : 'false'
  const first = keyType === 'string' ? 'key' : '0'
  if (!Object.hasOwn(map, first)) return first
  for (let n = 1; ; n++) {
    const key = keyType === 'string' ? `key-${n}` : String(n)
    if (!Object.hasOwn(map, key)) return key
  }
}
