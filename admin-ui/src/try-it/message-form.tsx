import { t } from '../texts/en.ts'
import { FieldForm } from './field-form.tsx'
import { withKey, type Json } from './json.ts'
import { groupFields, initialValue, keyIn, type Field } from './message-types.ts'
import type { MessageFormProps } from './nested-message.tsx'

/** The fields of a message, in its JSON form. */
export function MessageForm({ typeName, value, types, onChange }: MessageFormProps) {
  const type = types.message(typeName)
  if (type === undefined) return <p className="faint">{t.tryIt.noForm}</p>
  if (type.fields.length === 0) return <p className="faint">{t.tryIt.empty}</p>
  const valueOf = (field: Field): Json | undefined => value[keyIn(value, field)]
  const set = (field: Field, next: Json | undefined) =>
    onChange(withKey(value, keyIn(value, field), next))

  /** Of a oneof one field is set at most. */
  const choose = (fields: readonly Field[], chosen: Field | undefined) => {
    const others = fields.reduce((rest, one) => withKey(rest, keyIn(rest, one), undefined), value)
    onChange(
      chosen === undefined ? others : withKey(others, chosen.jsonName, initialValue(chosen, types)),
    )
  }
  return (
    <div className="message-form">
      {groupFields(type.fields).map((group) => {
        if (group.kind === 'field') {
          const { field } = group
          return (
            <FieldForm
              key={field.name}
              field={field}
              value={valueOf(field)}
              types={types}
              onChange={(next) => set(field, next)}
            />
          )
        }
        const chosen = group.fields.find((field) => valueOf(field) !== undefined)
        return (
          <fieldset key={group.name} className="part">
            <legend>
              {group.name} <span className="faint">{t.tryIt.oneof}</span>
            </legend>
            <select
              aria-label={`${group.name}, ${t.tryIt.oneof}`}
              value={chosen?.name ?? ''}
              onChange={({ target }) =>
                choose(
                  group.fields,
                  group.fields.find(({ name }) => name === target.value),
                )
              }
            >
              <option value="">{t.tryIt.none}</option>
              {group.fields.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
            {chosen !== undefined && (
              <FieldForm
                key={chosen.name}
                field={chosen}
                value={valueOf(chosen)}
                types={types}
                isChosen
                onChange={(next) => set(chosen, next ?? initialValue(chosen, types))}
              />
            )}
          </fieldset>
        )
      })}
    </div>
  )
}
