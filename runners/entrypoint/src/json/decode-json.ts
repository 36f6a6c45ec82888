/** JSON to a message (protobuf.dev/programming-guides/json), with the path of the field that does not fit. */
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
} from '@bufbuild/protobuf'
import { KreError, toKreError } from '@kre/contracts/runtime'
import { findField } from './route.ts'

/** @throws KreError `invalid-argument`, with the field's path in the detail `field`. */
export function decodeJson(type: DescMessage, json: JsonValue, registry: Registry): Message {
  try {
    return fromJson(type, json, { registry })
  } catch (error) {
    const found = locate(type, json, registry, '')
    const reason = found?.reason ?? reasonOf(error)
    const path = found?.path ?? ''
    const text = path === '' ? reason : `field "${path}": ${reason}`
    throw new KreError(
      'invalid-argument',
      `the body is not a ${type.typeName}: ${text}`,
      path === '' ? {} : { field: path },
      { cause: error },
    )
  }
}

type Located = { readonly path: string; readonly reason: string }

/** Walks the JSON once beside its type; messages are entered, everything else is tried on its own. */
function locate(
  type: DescMessage,
  json: JsonValue,
  registry: Registry,
  path: string,
): Located | null {
  if (!isPlainMessage(type)) return tryAlone(type, json, registry, path)
  if (!isObject(json)) return { path, reason: `expected an object, got ${kindOf(json)}` }
  const seen = new Set<DescField>()
  for (const key of Object.keys(json)) {
    const field = findField(type, key)
    const at = path === '' ? key : `${path}.${key}`
    const value = json[key] as JsonValue
    if (field === undefined) {
      const located = tryAlone(type, { [key]: value }, registry, at)
      if (located !== null) return { path: at, reason: `${type.typeName} has no such field` }
      continue
    }
    if (seen.has(field)) return { path: at, reason: 'it is set twice, by both of its names' }
    seen.add(field)
    const located = locateField(type, field, value, registry, at)
    if (located !== null) return located
  }
  return null
}

function locateField(
  type: DescMessage,
  field: DescField,
  value: JsonValue,
  registry: Registry,
  path: string,
): Located | null {
  const { jsonName } = field
  const alone = (part: JsonValue, at: string) => tryAlone(type, { [jsonName]: part }, registry, at)
  if (value === null) return alone(null, path)
  if (field.fieldKind === 'message') return locate(field.message, value, registry, path)
  if (field.fieldKind === 'list') {
    if (!Array.isArray(value)) return { path, reason: `expected an array, got ${kindOf(value)}` }
    // Most arrays are long and right: only a wrong one is looked at element by element.
    if (field.listKind !== 'message' && alone(value, path) === null) return null
    return first(value.entries(), ([i, element]) => {
      const at = `${path}[${i}]`
      return field.listKind === 'message' && element !== null
        ? locate(field.message, element, registry, at)
        : alone([element], at)
    })
  }
  if (field.fieldKind === 'map') {
    if (!isObject(value)) return { path, reason: `expected an object, got ${kindOf(value)}` }
    return first(Object.entries(value), ([key, element]) => {
      const at = `${path}[${JSON.stringify(key)}]`
      const isMessage = field.mapKind === 'message' && element !== null
      const inside = isMessage ? locate(field.message, element, registry, at) : null
      return inside ?? alone({ [key]: isMessage ? {} : element }, at)
    })
  }
  return alone(value, path)
}

function first<T>(all: Iterable<T>, find: (each: T) => Located | null): Located | null {
  for (const each of all) {
    const located = find(each)
    if (located !== null) return located
  }
  return null
}

function tryAlone(
  type: DescMessage,
  json: JsonValue,
  registry: Registry,
  path: string,
): Located | null {
  try {
    fromJson(type, json, { registry })
    return null
  } catch (error) {
    return { path, reason: reasonOf(error) }
  }
}

/** The library names the type and the field, which the path says better. */
function reasonOf(error: unknown): string {
  return toKreError(error).message.replace(
    /^(?:cannot decode (?:field|message) \S+ from JSON: )+/,
    '',
  )
}

/** Others have a JSON form of their own. */
function isPlainMessage(type: DescMessage): boolean {
  return !type.typeName.startsWith('google.protobuf.')
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
