/** When a batch is closed. Pure. */
import { MESSAGE_TYPE, type NodeLaunch } from '@kre/contracts/runtime'
import type { NodeCall } from './node-call.ts'

export type BatchLimits = NonNullable<NodeLaunch['batch']>

/**
 * @param first the message that waits longest.
 * @param waiting messages, the first one included.
 * @param isDraining nothing more comes, so nothing is waited for.
 * @returns for how many milliseconds the batch stays open; 0 = it is closed now.
 */
export function batchWaitMs(
  { maxSize, maxDelayMs }: BatchLimits,
  first: NodeCall,
  waiting: number,
  now: number,
  isDraining: boolean,
): number {
  if (isDraining || waiting >= maxSize || isAlone(first)) return 0
  // A caller with little time gets most of it for the handler.
  const delayMs = Math.min(maxDelayMs, (first.deadlineAt - first.arrivedAt) / 2)
  return Math.max(first.arrivedAt + delayMs - now, 0)
}

/**
 * Errors have a handler of their own. A message that was sent again may be the one that ended a process: by itself it
 * takes no other along, and is named alone at the next death.
 */
export function isAlone({ envelope }: NodeCall): boolean {
  return envelope.messageType === MESSAGE_TYPE.error || envelope.attempt > 1
}
