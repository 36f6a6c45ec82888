/** Puts path, query and body of a request together into the JSON form of its message. */
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf'
import { KreError } from '@kre/contracts/runtime'
import type { PathValues } from './path-template.ts'
import { findField, leafOf, type Route } from './route.ts'

/** Query parameters of one request; more are an attack on the reader. */
const PARAMETERS_MAX = 1_000

/**
 * @param body null = the request has none.
 * @throws KreError `invalid-argument`, with the field's path in the detail `field`.
 */
export function requestJson(
  route: Route,
  values: PathValues,
  query: string,
  body: JsonValue | null,
): JsonValue {
  const { input } = route.method
  const target = bodyObject(route, body)
  if (target === null) {
    // A whole body that is no object: nothing can be added to it, and its message may want just that.
    if (values.length === 0 && query === '') return body
    throw new KreError('invalid-argument', 'the body is not a JSON object')
  }
  if (route.body !== '*') addQuery(target, input, query, route.body)
  else if (query !== '')
    throw new KreError(
      'invalid-argument',
      'the body is the whole message (body: "*"), so the path takes no query parameters',
    )
  // Last: the path says which thing is meant, whatever the body says.
  for (const { field, text } of values) setField(target, input, field, [text])
  return target
}

function bodyObject(route: Route, body: JsonValue | null): JsonObject | null {
  if (route.body === null) return {}
  if (route.body !== '*') return body === null ? {} : { [route.body.jsonName]: body }
  if (body === null) return {}
  return isObject(body) ? body : null
}

function addQuery(
  target: JsonObject,
  input: DescMessage,
  query: string,
  body: DescField | null,
): void {
  const texts = new Map<string, string[]>()
  const parameters = new URLSearchParams(query)
  if (parameters.size > PARAMETERS_MAX)
    throw new KreError('invalid-argument', `more than ${PARAMETERS_MAX} query parameters`)
  for (const [name, text] of parameters) {
    const same = texts.get(name)
    if (same === undefined) texts.set(name, [text])
    else same.push(text)
  }
  for (const [name, all] of texts) {
    const path = name.split('.')
    if (body !== null && findField(input, path[0] ?? '') === body)
      throw new KreError('invalid-argument', `field "${name}" comes from the body, not the query`, {
        field: name,
      })
    setField(target, input, path, all)
  }
}

/** @param texts several only for a repeated field. */
function setField(
  target: JsonObject,
  message: DescMessage,
  path: readonly string[],
  texts: readonly string[],
): void {
  const leaf = leafOf(message, path)
  const name = path.join('.')
  let at = target
  let type = message
  for (const step of path.slice(0, -1)) {
    const field = findField(type, step)
    if (field?.fieldKind !== 'message') return // leafOf has been this way
    at = childOf(at, field, name)
    type = field.message
  }
  const value =
    leaf.fieldKind === 'list'
      ? texts.map((text) => leafValue(leaf, text, name))
      : single(leaf, texts, name)
  replace(at, leaf, value)
}

function single(leaf: DescField, texts: readonly string[], name: string): JsonValue {
  if (texts.length > 1)
    throw new KreError('invalid-argument', `field "${name}" is given ${texts.length} times`, {
      field: name,
    })
  return leafValue(leaf, texts[0] ?? '', name)
}

/** The object at a field, made when it is not there. */
function childOf(at: JsonObject, field: DescField, name: string): JsonObject {
  const before = own(at, field.jsonName) ?? own(at, field.name)
  const child = before === undefined || before === null ? {} : before
  if (!isObject(child))
    throw new KreError('invalid-argument', `field "${name}" is below one that is no object`, {
      field: name,
    })
  replace(at, field, child)
  return child
}

/** A field may be called `__proto__`, which every object seems to have. */
function own(at: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(at, name) ? at[name] : undefined
}

/** Both spellings of a field mean the same, and only one may be there. */
function replace(at: JsonObject, field: DescField, value: JsonValue): void {
  delete at[field.name]
  Object.defineProperty(at, field.jsonName, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

/** Messages that are one text or number in JSON. */
const TEXT_MESSAGES = new Set([
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
  'google.protobuf.FieldMask',
])
const WRAPPER = /^google\.protobuf\.(?:U?Int(?:32|64)|Float|Double|String|Bytes|Bool)Value$/

function leafValue(leaf: DescField, text: string, name: string): JsonValue {
  const no = (why: string) =>
    new KreError('invalid-argument', `field "${name}" ${why}`, { field: name })
  const kind = leaf.fieldKind === 'list' ? leaf.listKind : leaf.fieldKind
  if (kind === 'map') throw no('is a map, which a path or query has no form for')
  if (kind === 'enum') return enumValue(leaf.enum as DescEnum, text)
  if (kind === 'scalar') return scalarValue(leaf.scalar as ScalarType, text, no)
  const message = leaf.message as DescMessage
  if (TEXT_MESSAGES.has(message.typeName)) return text
  const wrapped = WRAPPER.test(message.typeName) ? message.fields[0]?.scalar : undefined
  if (wrapped !== undefined) return scalarValue(wrapped, text, no)
  throw no('is a message: name one of its fields')
}

/** Numbers stay text, which their JSON form allows, so that none is rounded on the way. */
function scalarValue(type: ScalarType, text: string, no: (why: string) => KreError): JsonValue {
  if (type !== ScalarType.BOOL) return text
  if (text === 'true' || text === 'false') return text === 'true'
  throw no(`is ${JSON.stringify(text)}: write true or false`)
}

function enumValue(type: DescEnum, text: string): JsonValue {
  const isName = type.values.some(({ name }) => name === text)
  return !isName && /^-?\d{1,10}$/.test(text) ? Number(text) : text
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
