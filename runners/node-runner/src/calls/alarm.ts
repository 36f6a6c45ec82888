/** One timer for many points in time: it rings at the earliest. */

const TIMEOUT_MS_MAX = 2 ** 31 - 1

export type Alarm = {
  /** @param at on the clock of `performance.now()`; Infinity = never. Rings a little later, or early when that is weeks away. */
  ringAt(at: number): void
}

/** @param onRing asks for the next time by `ringAt`. */
export function createAlarm(onRing: () => void): Alarm {
  let earliest = Infinity
  let timer: NodeJS.Timeout | undefined
  const ring = () => {
    earliest = Infinity
    onRing()
  }
  return {
    ringAt(at) {
      if (at >= earliest) return
      clearTimeout(timer)
      earliest = at
      const waitMs = Math.min(Math.max(at - performance.now(), 0) + 1, TIMEOUT_MS_MAX)
      timer = setTimeout(ring, waitMs).unref()
    },
  }
}
