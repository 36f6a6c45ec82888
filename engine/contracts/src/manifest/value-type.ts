const EXPECTED_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
}

/** A type that the schema expects, in the words of the manifest's author. */
export function describeExpected(expected: string): string {
  return EXPECTED_WORDS[expected] ?? 'another value'
}

/** What a value is, in the same words. */
export function describeActual(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return `the number ${value}`
  return typeof value === 'string' ? 'text' : 'a map'
}

/** A value as it may stand in a message: short words themselves, else what they are. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 60)
  return typeof value === 'number' ? String(value) : describeActual(value)
}

/**
 * What to write instead of a value of the wrong type, or null.
 *
 * @param source how the value was written, if without quotes.
 */
export function typeHint(
  expected: readonly string[],
  value: unknown,
  source: string | undefined,
): string | null {
  if (expected.includes('string') && (typeof value === 'number' || typeof value === 'boolean'))
    return `write ${JSON.stringify(source ?? String(value))}, in quotes`
  if (expected.includes('boolean') && typeof value === 'string') {
    if (/^(?:on|yes|y|true)$/i.test(value)) return 'write true'
    if (/^(?:off|no|n|false)$/i.test(value)) return 'write false'
  }
  const wantsNumber = expected.includes('int') || expected.includes('number')
  if (wantsNumber && typeof value === 'string' && /^\d+$/.test(value))
    return `write ${value}, without quotes`
  if (expected.includes('array') && typeof value === 'string')
    return `write [${value.slice(0, 60)}]`
  return null
}
