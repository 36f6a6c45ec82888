/** Growing pauses between attempts at something that fails, with jitter, so that many who wait don't come back at once. */
export type BackOff = {
  /** Milliseconds to wait before the next attempt. */
  next(): number
  /** After a success. */
  reset(): void
}

/**
 * Doubles from `firstMs` to `maxMs`; each pause is between half of that and all of it.
 *
 * @param random in [0, 1).
 */
export function createBackOff(options: {
  firstMs: number
  maxMs: number
  random?: () => number
}): BackOff {
  const { firstMs, maxMs, random = Math.random } = options
  let stepMs = firstMs
  return {
    next() {
      const pauseMs = stepMs * (0.5 + random() / 2)
      stepMs = Math.min(maxMs, stepMs * 2)
      return Math.round(pauseMs)
    },
    reset() {
      stepMs = firstMs
    },
  }
}
