import { KreError } from '@kre/contracts'

/** What a former leader hears that woke up late. */
export function writtenByAnother(runtimeId: string, token: number): KreError {
  return new KreError(
    'aborted',
    `what is observed of runtime "${runtimeId}" is written by another engine by now: this one's lease (${token}) is over`,
    { runtimeId, token },
  )
}
