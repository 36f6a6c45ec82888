/** Which keys a list or purge of the object store means. */
import { setFlagsFromString } from 'node:v8'
import { z } from 'zod'
import { KreError } from '@kre/contracts/runtime'

/** V8's second engine, the one of this flag, does not backtrack. */
const LINEAR = 'l'

export const KeyFilter = z.object({
  prefix: z.string().nullish(),
  pattern: z.string().nullish(),
})
export type KeyFilter = z.infer<typeof KeyFilter>

/**
 * @returns a test that takes time in proportion to the key's length, whatever the pattern.
 * @throws KreError `invalid-argument` for a pattern that needs more: back references, look-around.
 */
export function keyTest({ prefix, pattern }: KeyFilter): (key: string) => boolean {
  const byPattern =
    pattern === undefined || pattern === null || pattern === '' ? null : linearPattern(pattern)
  return (key) => key.startsWith(prefix ?? '') && (byPattern === null || byPattern.test(key))
}

function linearPattern(pattern: string): RegExp {
  setFlagsFromString('--enable-experimental-regexp-engine')
  try {
    return new RegExp(pattern, LINEAR)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new KreError(
      'invalid-argument',
      `pattern "${pattern}" can't be used: ${why}`,
      { pattern },
      { cause: error },
    )
  }
}
