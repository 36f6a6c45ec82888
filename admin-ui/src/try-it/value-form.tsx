import type { Json } from './json.ts'
import { inputKindOf, type Field, type TypeIndex } from './message-types.ts'
import { NestedMessage } from './nested-message.tsx'
import { ValueInput } from './value-input.tsx'

type ValueFormProps = {
  field: Field
  label: string
  value: Json
  types: TypeIndex
  onChange: (value: Json | undefined) => void
}

/** One value of a field: in a list, a map, or by itself. */
export function ValueForm({ field, label, value, types, onChange }: ValueFormProps) {
  return inputKindOf(field) === 'message' ? (
    <NestedMessage typeName={field.type} value={value} types={types} onChange={onChange} />
  ) : (
    <ValueInput
      field={field}
      label={label}
      typeText=""
      hint=""
      value={value}
      hasPresence
      types={types}
      onChange={onChange}
    />
  )
}
