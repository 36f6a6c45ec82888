/** JSON Schema (2020-12) of messages in their JSON form. */
import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'

export type Schema = { readonly [key: string]: unknown }

/** Schemas of a document, by the name of their type; grows while others are asked for. */
export type Schemas = {
  /** A reference to a type's schema, which is made when it is new. */
  ofMessage(message: DescMessage): Schema
  ofField(field: DescField): Schema
  readonly all: Readonly<Record<string, Schema>>
}

const INTEGER_TEXT = '^-?[0-9]+$'
const INT32 = { type: 'integer', format: 'int32' }
const INT64 = { type: 'string', format: 'int64', pattern: INTEGER_TEXT }
const FLOATING = [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity'] }]

const SCALARS: Readonly<Record<ScalarType, Schema>> = {
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BYTES]: { type: 'string', contentEncoding: 'base64' },
  [ScalarType.INT32]: INT32,
  [ScalarType.SINT32]: INT32,
  [ScalarType.SFIXED32]: INT32,
  [ScalarType.UINT32]: { type: 'integer', format: 'uint32', minimum: 0 },
  [ScalarType.FIXED32]: { type: 'integer', format: 'uint32', minimum: 0 },
  [ScalarType.INT64]: INT64,
  [ScalarType.SINT64]: INT64,
  [ScalarType.SFIXED64]: INT64,
  [ScalarType.UINT64]: { type: 'string', format: 'uint64', pattern: '^[0-9]+$' },
  [ScalarType.FIXED64]: { type: 'string', format: 'uint64', pattern: '^[0-9]+$' },
  [ScalarType.FLOAT]: { anyOf: FLOATING, format: 'float' },
  [ScalarType.DOUBLE]: { anyOf: FLOATING, format: 'double' },
}

/** Types with a JSON form of their own (protobuf.dev/programming-guides/json). */
const WELL_KNOWN: Readonly<Record<string, Schema>> = {
  Timestamp: { type: 'string', format: 'date-time' },
  Duration: { type: 'string', pattern: String.raw`^-?[0-9]+(\.[0-9]{1,9})?s$` },
  FieldMask: { type: 'string' },
  Struct: { type: 'object' },
  ListValue: { type: 'array' },
  Value: {},
  Any: { type: 'object', required: ['@type'], properties: { '@type': { type: 'string' } } },
}

export function createSchemas(): Schemas {
  const all: Record<string, Schema> = {}

  const ofMessage = (message: DescMessage): Schema => {
    const { typeName } = message
    const own = wellKnown(message)
    if (own !== null) return own
    if (!Object.hasOwn(all, typeName)) {
      // Before its fields: a message may hold itself.
      all[typeName] = {}
      all[typeName] = objectSchema(message)
    }
    return { $ref: `#/components/schemas/${typeName}` }
  }

  const objectSchema = (message: DescMessage): Schema => ({
    type: 'object',
    properties: Object.fromEntries(message.fields.map((field) => [field.jsonName, ofField(field)])),
    additionalProperties: false,
  })

  const ofField = (field: DescField): Schema => {
    switch (field.fieldKind) {
      case 'scalar':
        return SCALARS[field.scalar]
      case 'enum':
        return enumSchema(field.enum)
      case 'message':
        return ofMessage(field.message)
      case 'list':
        return { type: 'array', items: partSchema(field) }
      case 'map':
        return { type: 'object', additionalProperties: partSchema(field) }
    }
  }

  const partSchema = (field: DescField & { fieldKind: 'list' | 'map' }): Schema => {
    if (field.enum !== undefined) return enumSchema(field.enum)
    return field.message === undefined
      ? SCALARS[field.scalar as ScalarType]
      : ofMessage(field.message)
  }

  return { ofMessage, ofField, all }
}

function enumSchema(type: DescEnum): Schema {
  if (type.typeName === 'google.protobuf.NullValue') return { type: 'null' }
  return { type: 'string', enum: type.values.map(({ name }) => name) }
}

function wellKnown({ typeName, fields }: DescMessage): Schema | null {
  const [, name] = /^google\.protobuf\.(\w+)$/.exec(typeName) ?? []
  if (name === undefined) return null
  const [value] = fields
  if (/^\w+Value$/.test(name) && value?.name === 'value' && value.fieldKind === 'scalar')
    return { anyOf: [SCALARS[value.scalar], { type: 'null' }] }
  return Object.hasOwn(WELL_KNOWN, name) ? (WELL_KNOWN[name] ?? null) : null
}
