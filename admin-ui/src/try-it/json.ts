/** JSON as it is typed and sent: numbers beyond 2^53 stay exact, as texts. Pure. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json }

/** The third argument that newer engines give a reviver (ECMAScript, JSON.parse source text access). */
type Source = { readonly source?: string } | undefined

/** @throws SyntaxError that says where. */
export function parseJson(text: string): Json {
  const exact = (_key: string, value: unknown, context?: Source): unknown =>
    typeof value === 'number' &&
    !Number.isSafeInteger(value) &&
    /^-?\d+$/.test(context?.source ?? '')
      ? context?.source
      : value
  return JSON.parse(text, exact) as Json
}

export function formatJson(value: Json): string {
  return JSON.stringify(value, null, 2)
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object with one value set, in its place; `undefined` takes the key out. */
export function withKey(object: JsonObject, key: string, value: Json | undefined): JsonObject {
  // Also a key called `__proto__` is only a key.
  const entries = Object.entries(object)
  if (value === undefined) return Object.fromEntries(entries.filter(([name]) => name !== key))
  return Object.hasOwn(object, key)
    ? Object.fromEntries(entries.map(([name, old]) => [name, name === key ? value : old]))
    : Object.fromEntries([...entries, [key, value]])
}
