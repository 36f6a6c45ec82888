import { KreError } from '@kre/contracts'
import { isUniqueViolation } from '../to-kre-error.ts'

/** @throws KreError `already-exists` with `message` when a row with the same key is there. */
export function insertOnce(message: string, insert: () => void): void {
  try {
    insert()
  } catch (error) {
    if (isUniqueViolation(error)) throw new KreError('already-exists', message)
    throw error
  }
}
