import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import type { Json } from './json.ts'
import { FieldName, typeText } from './field-name.tsx'
import { MapForm } from './map-form.tsx'
import {
  initialValue,
  inputKindOf,
  isWrapper,
  type Field,
  type TypeIndex,
} from './message-types.ts'
import { ValueForm } from './value-form.tsx'
import { ValueInput } from './value-input.tsx'

type FieldFormProps = {
  field: Field
  /** `undefined` = not set. */
  value: Json | undefined
  types: TypeIndex
  /** It is the field that a oneof has. */
  isChosen?: boolean
  onChange: (value: Json | undefined) => void
}

/** One field of a message, whatever it holds. */
export function FieldForm({ field, value, types, isChosen = false, onChange }: FieldFormProps) {
  const { comment: hint } = field
  if (field.label === 'REPEATED')
    return <ListForm field={field} value={value} types={types} hint={hint} onChange={onChange} />
  if (field.label === 'MAP')
    return <MapForm field={field} value={value} types={types} hint={hint} onChange={onChange} />
  const kind = inputKindOf(field)
  // Messages may hold themselves, so each one is opened by hand.
  if ((kind === 'message' || kind === 'json') && value === undefined && !isChosen)
    return (
      <div className="field">
        <FieldName field={field} />
        <Button className="add-part" onClick={() => onChange(initialValue(field, types))}>
          {t.tryIt.add(field.name)}
        </Button>
        <p className="hint">{hint}</p>
      </div>
    )
  if (kind !== 'message' && kind !== 'json')
    return (
      <ValueInput
        field={field}
        label={field.name}
        typeText={typeText(field)}
        hint={hint}
        value={value ?? undefined}
        hasPresence={isChosen || field.label === 'OPTIONAL' || isWrapper(field.type)}
        types={types}
        onChange={onChange}
      />
    )
  return (
    <fieldset className="part">
      <legend>
        <FieldName field={field} />{' '}
        {!isChosen && (
          <button type="button" className="link" onClick={() => onChange(undefined)}>
            {t.tryIt.remove(field.name)}
          </button>
        )}
      </legend>
      <p className="hint">{hint}</p>
      <ValueForm
        field={field}
        label={field.name}
        value={value ?? {}}
        types={types}
        onChange={onChange}
      />
    </fieldset>
  )
}

type ListFormProps = Omit<FieldFormProps, 'isChosen'> & { hint: string }

function ListForm({ field, value, types, hint, onChange }: ListFormProps) {
  const items: readonly Json[] = Array.isArray(value) ? value : []
  const change = (next: readonly Json[]) => onChange(next.length === 0 ? undefined : next)
  return (
    <fieldset className="part">
      <legend>
        <FieldName field={field} />
      </legend>
      <p className="hint">{hint}</p>
      {items.map((item, index) => (
        <div key={index} className="part-item">
          <ValueForm
            field={field}
            label={t.tryIt.item(field.name, index + 1)}
            value={item}
            types={types}
            onChange={(next) => change(items.with(index, next ?? initialValue(field, types)))}
          />
          <button
            type="button"
            className="link"
            aria-label={t.tryIt.remove(t.tryIt.item(field.name, index + 1))}
            onClick={() => change(items.toSpliced(index, 1))}
          >
            ×
          </button>
        </div>
      ))}
      <Button className="add-part" onClick={() => change([...items, initialValue(field, types)])}>
        {t.tryIt.add(field.name)}
      </Button>
    </fieldset>
  )
}
