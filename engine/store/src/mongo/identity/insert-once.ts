import { KreError } from '@kre/contracts'
import { isDuplicate } from '../to-kre-error.ts'

/** @throws KreError `already-exists` with `message` when a document with the same key is there. */
export async function insertOnce(message: string, insert: () => Promise<unknown>): Promise<void> {
  try {
    await insert()
  } catch (error) {
    if (isDuplicate(error)) throw new KreError('already-exists', message)
    throw error
  }
}
