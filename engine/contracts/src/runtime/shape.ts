/**
 * Checks of plain JSON, for processes that are too many to load a schema library each. They know what KRE's own
 * messages need and no more: what people write is checked by the schemas of the full entry.
 */
import { KreError } from '../errors.ts'

/** Takes the place of a schema: the same two calls. */
export type Shape<T> = {
  /** @throws KreError `invalid-argument` that names the first field that does not fit. */
  parse(value: unknown): T
  safeParse(
    value: unknown,
  ): { success: true; data: T } | { success: false; data?: undefined; error: KreError }
  /** The first problem below `path`, or null. */
  readonly check: Check
  /** Never there: keeps a shape of one type from passing for a shape of a wider or narrower one. */
  readonly type?: (value: T) => T
}
type Check = (value: unknown, path: string) => string | null

/** @param what names the value in errors. */
function shape<T>(check: Check, what = 'the value'): Shape<T> {
  const safeParse: Shape<T>['safeParse'] = (value) => {
    const problem = check(value, what)
    return problem === null
      ? { success: true, data: value as T }
      : { success: false, error: new KreError('invalid-argument', problem) }
  }
  return {
    check,
    safeParse,
    parse(value) {
      const result = safeParse(value)
      if (result.success) return result.data
      throw result.error
    },
  }
}

function primitive<T>(name: string, fits: (value: unknown) => boolean): Shape<T> {
  return shape((value, path) => (fits(value) ? null : `${path} is no ${name}`))
}

export const text = primitive<string>('string', (value) => typeof value === 'string')
export const number = primitive<number>('number', Number.isFinite)
export const flag = primitive<boolean>('boolean', (value) => typeof value === 'boolean')
export const anything = primitive<unknown>('value', () => true)

export function oneOf<const T extends string | boolean>(...values: readonly T[]): Shape<T> {
  return shape((value, path) =>
    values.includes(value as T) ? null : `${path} is none of: ${values.join(', ')}`,
  )
}

export function nullable<T>(inner: Shape<T>): Shape<T | null> {
  return shape((value, path) => (value === null ? null : inner.check(value, path)))
}

export function listOf<T>(inner: Shape<T>): Shape<T[]> {
  return shape((value, path) => {
    if (!Array.isArray(value)) return `${path} is no list`
    for (let i = 0; i < value.length; i++) {
      const problem = inner.check(value[i], `${path}[${i}]`)
      if (problem !== null) return problem
    }
    return null
  })
}

export function recordOf<T>(inner: Shape<T>): Shape<Record<string, T>> {
  return shape((value, path) => {
    if (!isObject(value)) return `${path} is no object`
    for (const key of Object.keys(value)) {
      const problem = inner.check(value[key], `${path}.${key}`)
      if (problem !== null) return problem
    }
    return null
  })
}

/** An object with these fields; others are let through, so that newer processes can say more. */
export function object<T extends object>(
  fields: { readonly [K in keyof T]-?: FieldShape<T, K> },
  what?: string,
): Shape<T> {
  const entries = Object.entries(fields) as [string, FieldShape<T, keyof T>][]
  return shape((value, path) => {
    if (!isObject(value)) return `${path} is no object`
    for (const [name, { check, isOptional }] of entries) {
      if (isOptional && value[name] === undefined) continue
      const problem = check(Object.hasOwn(value, name) ? value[name] : undefined, `${path}.${name}`)
      if (problem !== null) return problem
    }
    return null
  }, what)
}

type FieldShape<T, K extends keyof T> = Shape<Exclude<T[K], undefined>> &
  (undefined extends T[K] ? { readonly isOptional?: true } : { readonly isOptional?: false })

/** A field that may be left out. */
export function optional<T>(inner: Shape<T>): Shape<T> & { readonly isOptional: true } {
  return { ...inner, isOptional: true }
}

/** One of several objects, told apart by the value of one field. */
export function variants<T>(
  field: string,
  shapes: ReadonlyMap<string | boolean, { readonly check: Check }>,
  what?: string,
): Shape<T> {
  return shape((value, path) => {
    if (!isObject(value)) return `${path} is no object`
    const chosen = shapes.get(value[field] as string | boolean)
    return chosen === undefined
      ? `${path}.${field} is none of: ${[...shapes.keys()].join(', ')}`
      : chosen.check(value, path)
  }, what)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
