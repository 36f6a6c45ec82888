/** Plain objects as initial values of protobuf messages. */
import type { DescField, DescMessage, JsonObject, JsonValue } from '@bufbuild/protobuf'
import { TerminalError } from './handler-errors.ts'

/**
 * The initializer of a `schema` message from plain values: field names of the .proto or camelCase, bytes as Uint8Array
 * or base64 text, enums by name or number, 64-bit integers as bigint, number or decimal text.
 *
 * @throws TerminalError naming a field that the type does not have.
 */
export function toMessageInit(
  schema: DescMessage,
  given: Record<string, unknown>,
): Record<string, unknown> {
  if (schema.typeName === 'google.protobuf.Struct') return toStructInit(given)
  const init: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith('$') || value === undefined || value === null) continue
    const field = schema.fields.find(
      (f) => f.name === name || f.localName === name || f.jsonName === name,
    )
    if (field !== undefined) {
      const converted = toFieldInit(field, value)
      if (field.oneof === undefined) init[field.localName] = converted
      else init[field.oneof.localName] = { case: field.localName, value: converted }
    } else if (schema.oneofs.some((oneof) => oneof.localName === name)) init[name] = value
    else {
      const names = schema.fields.map((f) => f.name).join(', ')
      throw new TerminalError(
        `message "${schema.typeName}" has no field "${name}"; it has: ${names || 'none'}`,
      )
    }
  }
  return init
}

function toFieldInit(field: DescField, value: unknown): unknown {
  if (field.fieldKind === 'list') {
    if (!Array.isArray(value) && !ArrayBuffer.isView(value))
      throw new TerminalError(`field "${field.name}" is a list; this is a ${typeof value}`)
    return Array.from(value as Iterable<unknown>, (item) => toSingleInit(field, item))
  }
  if (field.fieldKind === 'map') {
    return Object.fromEntries(
      Object.entries(value as object).map(([key, item]) => [key, toSingleInit(field, item)]),
    )
  }
  return toSingleInit(field, value)
}

function toSingleInit(field: DescField, value: unknown): unknown {
  if (field.message !== undefined) {
    const isPlain = typeof value === 'object' && value !== null && !('$typeName' in value)
    return isPlain ? toMessageInit(field.message, value as Record<string, unknown>) : value
  }
  if (field.enum !== undefined && typeof value === 'string') {
    const found = field.enum.values.find((candidate) => candidate.name === value)
    if (found === undefined)
      throw new TerminalError(`enum "${field.enum.typeName}" has no value "${value}"`)
    return found.number
  }
  return toScalarInit(field, value)
}

/** Numbers of `ScalarType`: 64-bit integers, and bytes. */
const INTEGERS_64: ReadonlySet<number | undefined> = new Set([3, 4, 6, 16, 18])
const BYTES = 12

function toScalarInit(field: DescField, value: unknown): unknown {
  if (INTEGERS_64.has(field.scalar) && (typeof value === 'number' || typeof value === 'string')) {
    try {
      return BigInt(value)
    } catch (error) {
      throw new TerminalError(`field "${field.name}" is an integer; this is ${value}`, {
        cause: error,
      })
    }
  }
  if (field.scalar === BYTES && typeof value === 'string')
    return new Uint8Array(Buffer.from(value, 'base64'))
  return value
}

/** protobuf-es represents a Struct in a message's field as plain JSON, and a Struct message by its `fields`. */
function toStructInit(given: Record<string, unknown>): Record<string, unknown> {
  return {
    fields: Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, toValueInit(value)]),
    ),
  }
}

function toValueInit(value: unknown): { kind: { case: string; value: unknown } } {
  if (value === null || value === undefined) return { kind: { case: 'nullValue', value: 0 } }
  if (typeof value === 'number') return { kind: { case: 'numberValue', value } }
  if (typeof value === 'bigint') return { kind: { case: 'numberValue', value: Number(value) } }
  if (typeof value === 'string') return { kind: { case: 'stringValue', value } }
  if (typeof value === 'boolean') return { kind: { case: 'boolValue', value } }
  if (value instanceof Date) return { kind: { case: 'stringValue', value: value.toISOString() } }
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    const values = Array.from(value as Iterable<JsonValue>, toValueInit)
    return { kind: { case: 'listValue', value: { values } } }
  }
  if (typeof value === 'object')
    return { kind: { case: 'structValue', value: toStructInit(value as JsonObject) } }
  throw new TerminalError(`a ${typeof value} has no place in a google.protobuf.Struct`)
}
