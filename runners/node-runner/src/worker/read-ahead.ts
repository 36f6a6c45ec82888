/**
 * How many calls a worker is given beyond those that it may run: enough that it never waits for the next one, so few
 * that what is read ahead starts soon. Pure.
 */
import { MiB } from '@kre/contracts/runtime'

export const AHEAD_CALLS_MAX = 16
export const AHEAD_BYTES_MAX = 1 * MiB
/** What is given ahead takes no longer than this. So handlers that take more are given nothing ahead. */
const AHEAD_MS_MAX = 5
/** Weight of the last call in the average. One slow call ends reading ahead at once, some fast ones bring it back. */
const WEIGHT = 1 / 8

export type ReadAhead = {
  /** Calls that may be given ahead. None before the first call has shown how long it takes. */
  readonly calls: number
  /** Told of each end. */
  ended(elapsedMs: number): void
}

export function createReadAhead(): ReadAhead {
  let averageMs = Infinity
  let calls = 0
  return {
    get calls() {
      return calls
    },
    ended(elapsedMs) {
      averageMs =
        elapsedMs > averageMs || averageMs === Infinity
          ? elapsedMs
          : averageMs + (elapsedMs - averageMs) * WEIGHT
      calls = Math.min(AHEAD_CALLS_MAX, Math.floor(AHEAD_MS_MAX / Math.max(averageMs, 0.001)))
    },
  }
}
