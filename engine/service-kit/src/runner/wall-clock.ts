/**
 * Times of messages between processes, finer than `Date.now()`. `performance.timeOrigin` is the wall clock as it was
 * when the process started: where that clock is set, this one follows.
 */
const DRIFT_MS_MAX = 2
const CHECK_EVERY_MS = 5_000

let origin = performance.timeOrigin
let checkedAt = -CHECK_EVERY_MS

/** @param at on the clock of `performance.now()`. @returns ms since 1970, with fractions. */
export function wallClockMs(at: number = performance.now()): number {
  if (at - checkedAt > CHECK_EVERY_MS) {
    checkedAt = at
    const offset = Date.now() - performance.now()
    if (Math.abs(offset - origin) > DRIFT_MS_MAX) origin = offset
  }
  return origin + at
}
