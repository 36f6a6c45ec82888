import { useState, type ReactNode } from 'react'
import { t } from '../texts/en.ts'
import { Field as LabeledField } from '../ui/field.tsx'
import { BytesField } from './bytes-field.tsx'
import type { Json } from './json.ts'
import { JsonField } from './json-field.tsx'
import {
  inputKindOf,
  isNumberOf,
  numberOf,
  unwrapped,
  type Field,
  type TypeIndex,
} from './message-types.ts'

type ValueInputProps = {
  field: Pick<Field, 'kind' | 'type'>
  label: string
  typeText: string
  hint: string
  value: Json | undefined
  /** Whether it matters if it is set; otherwise what is empty is left out. */
  hasPresence: boolean
  types: TypeIndex
  /** `undefined` = not set. */
  onChange: (value: Json | undefined) => void
}

/** One value that is no message with fields. */
export function ValueInput(props: ValueInputProps): ReactNode {
  switch (inputKindOf(props.field)) {
    case 'bool':
      return <BoolInput {...props} />
    case 'enum':
      return <EnumInput {...props} />
    case 'null':
      return <BoolInput {...props} />
    case 'int':
    case 'float':
      return <NumberInput {...props} />
    case 'bytes':
      return (
        <BytesField
          label={props.label}
          typeText={props.typeText}
          hint={props.hint}
          value={textOf(props.value)}
          onChange={(base64) => props.onChange(orAbsent(base64, props.hasPresence))}
        />
      )
    case 'json':
      return (
        <div className="field">
          <JsonField
            label={props.label}
            hint={[
              props.hint,
              props.field.type.endsWith('.Any') ? t.tryIt.jsonHint.any : t.tryIt.jsonHint.other,
            ]
              .filter(Boolean)
              .join(' · ')}
            value={props.value ?? {}}
            onChange={props.onChange}
          />
        </div>
      )
    case 'timestamp':
    case 'duration':
    case 'string':
    case 'message':
      return <TextInput {...props} />
  }
}

function TextInput({
  field,
  label,
  typeText,
  hint,
  value,
  hasPresence,
  onChange,
}: ValueInputProps) {
  const kind = inputKindOf(field)
  const isTime = kind === 'timestamp' || kind === 'duration'
  const example =
    kind === 'timestamp' ? t.tryIt.timestampHint : kind === 'duration' ? t.tryIt.durationHint : ''
  const change = (text: string) => onChange(orAbsent(text, hasPresence && !isTime))
  return (
    <div className="with-button">
      <LabeledField
        label={label}
        type={typeText}
        hint={[hint, example].filter(Boolean).join(' · ')}
      >
        {(described) =>
          isTime ? (
            <input
              {...described}
              value={textOf(value)}
              onChange={(event) => change(event.target.value)}
            />
          ) : (
            <textarea
              {...described}
              className="grow-text"
              rows={1}
              value={textOf(value)}
              onChange={(event) => change(event.target.value)}
            />
          )
        }
      </LabeledField>
      {kind === 'timestamp' && (
        <button
          type="button"
          className="link"
          aria-label={`${t.tryIt.now}: ${label}`}
          onClick={() => onChange(new Date().toISOString())}
        >
          {t.tryIt.now}
        </button>
      )}
    </div>
  )
}

function NumberInput({
  field,
  label,
  typeText,
  hint,
  value,
  hasPresence,
  onChange,
}: ValueInputProps) {
  const scalar = unwrapped(field.type)
  // `1.` is on the way to `1.5`, and the same number as `1`.
  const [typed, setTyped] = useState('')
  const text = typed !== '' && numberOf(typed, scalar) === value ? typed : textOf(value)
  return (
    <LabeledField
      label={label}
      type={typeText}
      hint={hint}
      error={isNumberOf(value, scalar) ? null : t.tryIt.notNumber(scalar)}
    >
      {(described) => (
        <input
          {...described}
          inputMode="decimal"
          autoComplete="off"
          value={text}
          placeholder={hasPresence ? '' : '0'}
          onChange={({ target }) => {
            setTyped(target.value)
            onChange(target.value === '' ? undefined : numberOf(target.value, scalar))
          }}
        />
      )}
    </LabeledField>
  )
}

function BoolInput({
  field,
  label,
  typeText,
  hint,
  value,
  hasPresence,
  onChange,
}: ValueInputProps) {
  const isNull = inputKindOf(field) === 'null'
  const off = hasPresence ? t.tryIt.notSet : t.tryIt.byDefault(t.tryIt.no)
  return (
    <LabeledField label={label} type={typeText} hint={hint}>
      {(described) => (
        <select
          {...described}
          value={value === undefined ? '' : JSON.stringify(value)}
          onChange={({ target }) =>
            onChange(target.value === '' ? undefined : isNull ? null : target.value === 'true')
          }
        >
          <option value="">{off}</option>
          {isNull ? (
            <option value="null">null</option>
          ) : (
            <>
              <option value="true">{t.tryIt.yes}</option>
              {(hasPresence || value === false) && <option value="false">{t.tryIt.no}</option>}
            </>
          )}
        </select>
      )}
    </LabeledField>
  )
}

function EnumInput({
  field,
  label,
  typeText,
  hint,
  value,
  hasPresence,
  types,
  onChange,
}: ValueInputProps) {
  const { values = [] } = types.enum(field.type) ?? {}
  const chosen = values.find(({ name, number }) => name === value || number === value)
  const standard = values.find(({ number }) => number === 0) ?? values[0]
  const unset = hasPresence ? t.tryIt.notSet : t.tryIt.byDefault(standard?.name ?? '0')
  return (
    <LabeledField
      label={label}
      type={typeText}
      hint={[hint, chosen?.comment].filter(Boolean).join(' · ')}
    >
      {(described) => (
        <select
          {...described}
          value={chosen?.name ?? textOf(value)}
          onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}
        >
          <option value="">{unset}</option>
          {values
            .filter((one) => hasPresence || one !== standard || value !== undefined)
            .map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          {chosen === undefined && value !== undefined && (
            <option value={textOf(value)}>{textOf(value)}</option>
          )}
        </select>
      )}
    </LabeledField>
  )
}

function orAbsent(text: string, isKept: boolean): string | undefined {
  return text === '' && !isKept ? undefined : text
}

/** What is in the JSON may be anything; an input shows text. */
function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
