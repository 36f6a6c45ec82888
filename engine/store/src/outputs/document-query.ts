/** The query language of documents: equality, and nothing else, so that no caller can hand an operator to a database. */
import { KreError } from '@kre/contracts'

/** Fields in one query. */
const QUERY_FIELDS_MAX = 32
/** Characters of a dotted field. */
const QUERY_FIELD_CHARS_MAX = 512
/** Objects inside objects, in a query's value as in its path. */
const QUERY_DEPTH_MAX = 32

export type FieldCondition = {
  /** Names from the outside in. */
  readonly path: readonly string[]
  /** A scalar, or an object or array that must be equal as a whole. */
  readonly value: unknown
}

/**
 * @throws KreError `invalid-argument` for an empty query, operators, and names that no document's field can have here.
 */
export function parseDocumentQuery(query: unknown): FieldCondition[] {
  if (!isPlainObject(query)) throw refused('a query is an object of fields and values')
  const fields = Object.entries(query)
  if (fields.length === 0)
    throw refused('the query is empty: give at least one field, for example {"customer": "c-17"}')
  if (fields.length > QUERY_FIELDS_MAX)
    throw refused(
      `the query has ${fields.length} fields, and at most ${QUERY_FIELDS_MAX} are allowed`,
    )
  return fields.map(([field, value]) => ({
    path: parsePath(field),
    value: checkValue(field, value),
  }))
}

function parsePath(field: string): string[] {
  if (field.length > QUERY_FIELD_CHARS_MAX)
    throw refused(
      `the field "${field.slice(0, 40)}…" is longer than ${QUERY_FIELD_CHARS_MAX} characters`,
    )
  const path = field.split('.')
  if (path.length > QUERY_DEPTH_MAX)
    throw refused(`the field "${field}" is deeper than ${QUERY_DEPTH_MAX}`)
  for (const name of path) {
    if (name === '') throw refused(`the field "${field}" has an empty part between its dots`)
    if (name.startsWith('$'))
      throw refused(
        `the field "${field}" is an operator: a query compares fields for equality only`,
      )
    // Quotes and backslashes would end the name inside a JSON path; control characters have no place in a name.
    if (/["\\\p{Cc}]/u.test(name))
      throw refused(
        `the field ${JSON.stringify(field)} holds a quote, a backslash or a control character`,
      )
  }
  return path
}

function checkValue(field: string, value: unknown, depth = 0): unknown {
  if (depth > QUERY_DEPTH_MAX)
    throw refused(`the value of "${field}" is nested deeper than ${QUERY_DEPTH_MAX}`)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) {
    for (const item of value) checkValue(field, item, depth + 1)
    return value
  }
  if (!isPlainObject(value))
    throw refused(
      `the value of "${field}" is not text, a number, a boolean, null, a list or an object`,
    )
  for (const [name, item] of Object.entries(value)) {
    if (name.startsWith('$'))
      throw refused(
        `the value of "${field}" uses the operator "${name}": a query compares fields for equality only`,
      )
    checkValue(field, item, depth + 1)
  }
  return value
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function refused(message: string): KreError {
  return new KreError('invalid-argument', message)
}
