/** Messages that wait for a free slot: which are let in, and which are still worth a handler when their turn comes. */
import type { NodeLaunch } from '@kre/contracts/runtime'
import type { Counters } from '../counters.ts'
import { CallQueue } from './call-queue.ts'
import type { NodeCall } from './node-call.ts'
import { createQueueDelay } from './queue-delay.ts'

/** Why a message is not let in, or is let go. */
export type Overload = {
  readonly text: string
  /** When there may be room. */
  readonly retryAfterMs: number
}

export type WaitingCalls = Iterable<NodeCall> & {
  readonly length: number
  /** The one whose turn is next. */
  readonly first: NodeCall | undefined
  /** Monotonic ms; Infinity = nothing waits. */
  readonly oldestArrival: number
  /** @returns why it is not let in; null = it waits. */
  push(call: NodeCall, now: number): Overload | null
  /** Puts one that was taken out before the others of its priority. */
  putBack(call: NodeCall): void
  /** Takes the next one out, whoever waits for it; undefined when none is left. */
  shift(): NodeCall | undefined
  /** Whether the call, which was taken out, is worth a handler. */
  isDue(call: NodeCall, now: number): boolean
}

/** Of those who are told to come back none comes sooner, and none is sent away for longer. */
const RETRY_AFTER_MS = { min: 100, max: 10_000 }

/** @param refuse told of each message that has waited for too long. */
export function createWaitingCalls(
  launch: Pick<NodeLaunch, 'nodeName' | 'maxQueueAgeMs'>,
  counters: Counters,
  refuse: (call: NodeCall, overload: Overload) => void,
): WaitingCalls {
  const queue = new CallQueue()
  const ageMsMax = launch.maxQueueAgeMs ?? null
  const delay = createQueueDelay(ageMsMax)
  const overload = (why: string, expectedMs: number): Overload => {
    counters.refused++
    return {
      text: `node '${launch.nodeName}' is overloaded: ${why}. Try again later, or give the node more replicas`,
      retryAfterMs: Math.round(
        Math.min(Math.max(expectedMs, RETRY_AFTER_MS.min), RETRY_AFTER_MS.max),
      ),
    }
  }

  return {
    get length() {
      return queue.length
    },
    get first() {
      return queue.first
    },
    get oldestArrival() {
      return queue.oldestArrival
    },
    push(call, now) {
      call.ahead = queue.ahead(call)
      if (call.ahead > 0) {
        const expectedMs = delay.expectedMs(call.ahead)
        const limitMs = delay.limitMs(call.deadlineAt - now, now)
        if (expectedMs > limitMs)
          return overload(
            `${queue.length} messages wait, and this one would wait for ${Math.ceil(expectedMs)} ms with ${Math.floor(limitMs)} ms at most`,
            expectedMs,
          )
      }
      if (queue.push(call)) return null
      return overload('its queue is full', delay.expectedMs(queue.length))
    },
    putBack: (call) => queue.putBack(call),
    shift: () => queue.shift(),
    isDue(call, now) {
      if (call.isOver) return false
      if (call.deadlineAt <= now) {
        counters.expired++
        return false
      }
      const waitedMs = now - call.arrivedAt
      delay.waited(waitedMs, call.ahead, call.deadlineAt - call.arrivedAt, now)
      if (ageMsMax === null || waitedMs <= ageMsMax) return true
      const why = `the message has waited for ${Math.round(waitedMs)} ms with ${ageMsMax} ms at most`
      refuse(call, overload(why, waitedMs))
      return false
    },
    [Symbol.iterator]: () => queue[Symbol.iterator](),
  }
}
