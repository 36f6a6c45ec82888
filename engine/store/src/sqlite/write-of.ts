import { KreError } from '@kre/contracts'
import { isForeignKeyViolation } from './to-kre-error.ts'

/** Runs a write that belongs to a runtime. @throws KreError `not-found` when the runtime is gone. */
export function writeOf<T>(runtimeId: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (isForeignKeyViolation(error)) throw runtimeMissing(runtimeId)
    throw error
  }
}

function runtimeMissing(runtimeId: string): KreError {
  return new KreError(
    'not-found',
    `there is no runtime "${runtimeId}": it may have been deleted meanwhile`,
    { runtimeId },
  )
}
