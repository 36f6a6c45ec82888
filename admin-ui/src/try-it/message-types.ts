/** What a form knows of messages. Pure. */
import type { VersionServiceResult } from '../gen/documents.ts'
import type { Json, JsonObject } from './json.ts'

export type Service = VersionServiceResult['version']['service']
export type Rpc = Service['rpcs'][number]
export type MessageType = Service['messages'][number]
export type Field = MessageType['fields'][number]
export type EnumType = Service['enums'][number]

export type TypeIndex = {
  message(name: string): MessageType | undefined
  enum(name: string): EnumType | undefined
}

export function indexTypes({ messages, enums }: Service): TypeIndex {
  const byName = new Map(messages.map((type) => [type.name, type]))
  const enumsByName = new Map(enums.map((type) => [type.name, type]))
  return { message: (name) => byName.get(name), enum: (name) => enumsByName.get(name) }
}

/** Fields in the order of the message; those of a oneof together, where its first one is. */
export type FieldGroup =
  | { readonly kind: 'field'; readonly field: Field }
  | { readonly kind: 'oneof'; readonly name: string; readonly fields: readonly Field[] }

export function groupFields(fields: readonly Field[]): FieldGroup[] {
  const seen = new Set<string>()
  return fields.flatMap((field): FieldGroup[] => {
    if (field.oneof === null) return [{ kind: 'field', field }]
    if (seen.has(field.oneof)) return []
    seen.add(field.oneof)
    const name = field.oneof
    return [{ kind: 'oneof', name, fields: fields.filter(({ oneof }) => oneof === name) }]
  })
}

/** How a value is typed in, by the JSON form of its type. */
export type InputKind =
  | 'bool'
  | 'int'
  | 'float'
  | 'string'
  | 'bytes'
  | 'enum'
  | 'message'
  | 'timestamp'
  | 'duration'
  | 'null'
  | 'json'

const INTEGERS = /^(?:u?int|s(?:int|fixed)|fixed)(?:32|64)$/
const WRAPPERS: Readonly<Record<string, string>> = {
  BoolValue: 'bool',
  BytesValue: 'bytes',
  DoubleValue: 'double',
  FloatValue: 'float',
  Int32Value: 'int32',
  Int64Value: 'int64',
  StringValue: 'string',
  UInt32Value: 'uint32',
  UInt64Value: 'uint64',
}

/** The scalar in a wrapper (`google.protobuf.Int32Value`); the type itself for every other. */
export function unwrapped(type: string): string {
  const [, name = ''] = /^google\.protobuf\.(\w+)$/.exec(type) ?? []
  return WRAPPERS[name] ?? type
}

export function isWrapper(type: string): boolean {
  return unwrapped(type) !== type
}

export function inputKindOf({ kind, type }: Pick<Field, 'kind' | 'type'>): InputKind {
  const scalar = unwrapped(type)
  if (kind === 'ENUM') return type === 'google.protobuf.NullValue' ? 'null' : 'enum'
  if (kind === 'SCALAR' || scalar !== type) {
    if (scalar === 'bool' || scalar === 'string' || scalar === 'bytes') return scalar
    return INTEGERS.test(scalar) ? 'int' : 'float'
  }
  switch (type) {
    case 'google.protobuf.Timestamp':
      return 'timestamp'
    case 'google.protobuf.Duration':
      return 'duration'
    case 'google.protobuf.FieldMask':
      return 'string'
    case 'google.protobuf.Any':
    case 'google.protobuf.Struct':
    case 'google.protobuf.Value':
    case 'google.protobuf.ListValue':
      return 'json'
    default:
      return 'message'
  }
}

/** What a new value of a field begins with: in a list, in a map, or where it is set for the first time. */
export function initialValue(field: Pick<Field, 'kind' | 'type'>, types: TypeIndex): Json {
  switch (inputKindOf(field)) {
    case 'bool':
      return false
    case 'int':
      return is64Bit(unwrapped(field.type)) ? '0' : 0
    case 'float':
      return 0
    case 'enum':
      return types.enum(field.type)?.values[0]?.name ?? 0
    case 'message':
      return {}
    case 'timestamp':
      return '1970-01-01T00:00:00Z'
    case 'duration':
      return '0s'
    case 'null':
      return null
    case 'json':
      return field.type === 'google.protobuf.ListValue' ? [] : {}
    case 'string':
    case 'bytes':
      return ''
  }
}

/** In JSON these are texts. */
export function is64Bit(scalar: string): boolean {
  return scalar.endsWith('64')
}

/** What is typed as a number, as JSON has it; as it is typed when it is none, so that the engine says what is wrong. */
export function numberOf(text: string, scalar: string): Json {
  const typed = text.trim()
  if (!/^-?\d+$/.test(typed)) {
    const isFloat = scalar === 'float' || scalar === 'double'
    const value = Number(typed)
    return isFloat && typed !== '' && Number.isFinite(value) ? value : typed
  }
  return is64Bit(scalar) || !Number.isSafeInteger(Number(typed)) ? typed : Number(typed)
}

/** Whether a value is a number of the type; none is one, too. */
export function isNumberOf(value: Json | undefined, scalar: string): boolean {
  if (value === undefined || value === null) return true
  if (typeof value !== 'number' && typeof value !== 'string') return false
  const text = String(value)
  if (scalar === 'float' || scalar === 'double')
    return typeof value === 'number' || ['NaN', 'Infinity', '-Infinity'].includes(text)
  if (!/^-?\d+$/.test(text)) return false
  const number = BigInt(text)
  const bits = BigInt(is64Bit(scalar) ? 64 : 32)
  const isUnsigned = scalar.startsWith('uint') || scalar.startsWith('fixed')
  const lowest = isUnsigned ? 0n : -(2n ** (bits - 1n))
  const highest = isUnsigned ? 2n ** bits - 1n : 2n ** (bits - 1n) - 1n
  return number >= lowest && number <= highest
}

/** A key of the JSON form may be the field's name in the .proto, too. */
export function keyIn(object: JsonObject, field: Pick<Field, 'name' | 'jsonName'>): string {
  return Object.hasOwn(object, field.jsonName) || !Object.hasOwn(object, field.name)
    ? field.jsonName
    : field.name
}
