import { toKreError } from '@kre/contracts'

/** Full, or full for this user. */
const NO_SPACE: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])

/** What ended the engine, for people. Of a full disk the system says neither which file was meant nor what helps. */
export function failureText(error: unknown): string {
  const { message } = toKreError(error)
  const code: unknown = error instanceof Object ? Reflect.get(error, 'code') : null
  return NO_SPACE.has(code)
    ? `no space is left on the disk of the data folder (${message}): free some and start the engine again; what was stored is safe`
    : message
}
