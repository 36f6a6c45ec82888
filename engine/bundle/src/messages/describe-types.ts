/** Messages and enums as lists of their fields and values, for forms and for people. Pure. */
import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'

export type FieldDescription = {
  readonly name: string
  /** In the JSON form. */
  readonly jsonName: string
  readonly kind: 'SCALAR' | 'ENUM' | 'MESSAGE'
  /** Of one value: `int32`, `string` …, or the full name of an enum or message. */
  readonly type: string
  /** `OPTIONAL`: whether it is set makes a difference although it is a scalar or an enum. */
  readonly label: 'SINGLE' | 'OPTIONAL' | 'REPEATED' | 'MAP'
  /** Of a map: the scalar that its keys are. */
  readonly keyType: string | null
  /** The oneof that it is of; null = none. */
  readonly oneof: string | null
  readonly comment: string
}
export type MessageDescription = {
  readonly name: string
  readonly comment: string
  readonly fields: readonly FieldDescription[]
}
export type EnumDescription = {
  readonly name: string
  readonly comment: string
  readonly values: readonly {
    readonly name: string
    readonly number: number
    readonly comment: string
  }[]
}
export type TypeDescriptions = {
  readonly messages: readonly MessageDescription[]
  readonly enums: readonly EnumDescription[]
}

/** Types with a JSON form of their own (protobuf.dev/programming-guides/json): their fields say nothing about it. */
const OWN_FORMS: ReadonlySet<string> = new Set(
  'Any Duration FieldMask ListValue Struct Timestamp Value BoolValue BytesValue DoubleValue FloatValue StringValue Int32Value Int64Value UInt32Value UInt64Value'
    .split(' ')
    .map((name) => `google.protobuf.${name}`),
)
const NULL_VALUE = 'google.protobuf.NullValue'

/** The given messages and what their fields are made of, each once, in the order of their first use. */
export function describeTypes(
  roots: readonly DescMessage[],
  comments: ReadonlyMap<string, string>,
): TypeDescriptions {
  const messages = new Map<string, MessageDescription>()
  const enums = new Map<string, EnumDescription>()
  const commentOf = (name: string) => comments.get(name) ?? ''
  const waiting = [...roots]
  for (let type = waiting.shift(); type !== undefined; type = waiting.shift()) {
    const { typeName } = type
    if (messages.has(typeName) || OWN_FORMS.has(typeName)) continue
    messages.set(typeName, {
      name: typeName,
      comment: commentOf(typeName),
      fields: type.fields.map((field) =>
        describeField(field, commentOf(`${typeName}.${field.name}`)),
      ),
    })
    for (const field of type.fields) {
      if (field.message !== undefined) waiting.push(field.message)
      if (field.enum !== undefined && field.enum.typeName !== NULL_VALUE)
        enums.set(field.enum.typeName, describeEnum(field.enum, commentOf))
    }
  }
  return { messages: [...messages.values()], enums: [...enums.values()] }
}

function describeField(field: DescField, comment: string): FieldDescription {
  const kind =
    field.message === undefined ? (field.enum === undefined ? 'SCALAR' : 'ENUM') : 'MESSAGE'
  return {
    name: field.name,
    jsonName: field.jsonName,
    kind,
    type: field.message?.typeName ?? field.enum?.typeName ?? scalarName(field.scalar),
    label: labelOf(field, kind),
    keyType: field.fieldKind === 'map' ? scalarName(field.mapKey) : null,
    oneof: field.oneof?.name ?? null,
    comment,
  }
}

function labelOf(field: DescField, kind: FieldDescription['kind']): FieldDescription['label'] {
  if (field.fieldKind === 'list') return 'REPEATED'
  if (field.fieldKind === 'map') return 'MAP'
  return kind !== 'MESSAGE' && field.proto.proto3Optional ? 'OPTIONAL' : 'SINGLE'
}

function describeEnum(type: DescEnum, commentOf: (name: string) => string): EnumDescription {
  return {
    name: type.typeName,
    comment: commentOf(type.typeName),
    values: type.values.map(({ name, number }) => ({
      name,
      number,
      comment: commentOf(`${type.typeName}.${name}`),
    })),
  }
}

/** As it is written in a .proto. */
function scalarName(scalar: ScalarType | undefined): string {
  return scalar === undefined ? '' : ScalarType[scalar].toLowerCase()
}
