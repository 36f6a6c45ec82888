/** Who wrote which field, as an API server keeps it; lists are owned as a whole here. */

type Fields = Record<string, unknown>

/** `fieldsV1` of what an apply has named. */
export function fieldsOf(value: object): object {
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      `f:${name}`,
      inner !== null && typeof inner === 'object' && !Array.isArray(inner)
        ? fieldsOf(inner as object)
        : {},
    ]),
  )
}

/** The set without a field that somebody else has written. @param path `spec.replicas` */
export function withoutField(fields: object, path: string): object {
  const [first = '', ...rest] = path.split('.')
  const key = `f:${first}`
  const { [key]: inside, ...others } = fields as Fields
  if (rest.length === 0 || inside === undefined) return others
  return { ...others, [key]: withoutField(inside as object, rest.join('.')) }
}

/** The object with another value in one field. */
export function withField<T extends object>(object: T, path: string, value: unknown): T {
  const [first = '', ...rest] = path.split('.')
  const inside = (object as Fields)[first]
  const next =
    rest.length === 0 ? value : withField((inside ?? {}) as object, rest.join('.'), value)
  return { ...object, [first]: next }
}
