import { toKreError } from '@kre/contracts'

/**
 * Writes down that somebody was here. Where there is no room for that it is left out: a disk that is full must not keep
 * those out who come to look after it.
 */
export async function noteUse(write: () => Promise<unknown>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (toKreError(error).code !== 'resource-exhausted') throw error
  }
}
