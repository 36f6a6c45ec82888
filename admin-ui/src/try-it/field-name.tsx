import type { Field } from './message-types.ts'

/** What is written above a field, or a part of several. */
export function FieldName({ field }: { field: Field }) {
  return (
    <span className="typed-label">
      <span className="field-name">{field.name}</span>{' '}
      <span className="field-type">{typeText(field)}</span>
    </span>
  )
}

/** As it is written in a .proto. */
export function typeText({ type, label, keyType }: Field): string {
  const short = type.replace(/^google\.protobuf\./, '')
  if (label === 'MAP') return `map<${keyType ?? ''}, ${short}>`
  return label === 'REPEATED' ? `repeated ${short}` : short
}
