/** Gives messages that wait to replicas with free slots, and takes such messages while slots are free here. */
import type { Counters } from '../counters.ts'
import type { Siblings } from '../hops/siblings.ts'
import type { NodeCall } from './node-call.ts'
import { createRunningAverage } from './running-average.ts'
import type { WaitingCalls } from './waiting-calls.ts'

/** Handlers that take less are over before a message has found another replica. */
const SLOW_MS = 2
/** Weight of the last call in the average. */
const WEIGHT = 1 / 8
/** What is larger costs more to send again than to wait. */
const BYTES_MAX = 65_536

export type WorkSharing = {
  /** On their way to another replica. */
  readonly underWay: ReadonlySet<NodeCall>
  /** Told of each handler's end. */
  ended(elapsedMs: number): void
  /** Something waits, or a slot was taken or given back. */
  changed(freeSlots: number): void
}

/** @param isBusy whether no slot is free. */
export function createWorkSharing(deps: {
  siblings: Siblings
  waiting: WaitingCalls
  counters: Counters
  isBusy: () => boolean
  /** A message is back, or has gone for good. */
  onReturned: () => void
}): WorkSharing {
  const { siblings, waiting, counters } = deps
  const underWay = new Set<NodeCall>()
  const handlerMs = createRunningAverage(WEIGHT)
  let isSending = false

  /** What is to be sent now, if anything. */
  const next = () => {
    const { first } = waiting
    const isWanted = first !== undefined && canMove(first) && deps.isBusy() && siblings.mayBeFree
    return isWanted ? first : undefined
  }
  const send = async () => {
    isSending = true
    for (let first = next(); first !== undefined; first = next()) {
      waiting.shift()
      if (first.isOver) continue
      underWay.add(first)
      const isTaken = await siblings.handOver(first.envelope)
      underWay.delete(first)
      if (isTaken) counters.handedOver++
      else if (!first.isOver) waiting.putBack(first)
    }
    isSending = false
    deps.onReturned()
  }

  return {
    underWay,
    ended: (elapsedMs) => handlerMs.add(elapsedMs),
    changed(freeSlots) {
      // A replica that is new takes what waits at others.
      siblings.offer((handlerMs.value ?? SLOW_MS) >= SLOW_MS ? freeSlots : 0)
      // Its end calls this again, so it must not begin for nothing.
      if (!isSending && next() !== undefined) void send()
    },
  }
}

/** A try of a handler's belongs to the replica that has counted the tries before. */
function canMove({ isHandedOver, attempt, envelope }: NodeCall): boolean {
  return (
    !isHandedOver &&
    attempt === Math.max(envelope.attempt, 1) &&
    envelope.claim === null &&
    envelope.value.length <= BYTES_MAX
  )
}
