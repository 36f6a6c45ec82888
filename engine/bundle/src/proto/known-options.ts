import { create, type DescField, type DescMessage, type MessageShape } from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'

/**
 * The standard options among those of a parsed element, or null when there are none.
 * Options of other people's extensions are left out: they never change what is on the wire.
 *
 * @param values by name as written, `(custom.option)` in parentheses.
 */
export function knownOptions<Schema extends DescMessage>(
  schema: Schema,
  values: Readonly<Record<string, unknown>> | undefined,
): MessageShape<Schema> | null {
  const message = create(schema)
  const target = reflect(schema, message)
  let found = false
  for (const [name, value] of Object.entries(values ?? {})) {
    const field = schema.fields.find((candidate) => candidate.name === name)
    const converted = field === undefined ? undefined : optionValue(field, value)
    if (field === undefined || converted === undefined) continue
    target.set(field, converted)
    found = true
  }
  return found ? message : null
}

function optionValue(field: DescField, value: unknown): boolean | string | number | undefined {
  if (field.fieldKind === 'enum')
    return field.enum.values.find((candidate) => candidate.name === value)?.number
  if (field.fieldKind !== 'scalar') return undefined
  if (typeof value === 'boolean' || typeof value === 'string') return value
  return undefined
}
