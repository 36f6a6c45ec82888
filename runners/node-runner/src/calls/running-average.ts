/** An average in which each later value counts for more than the ones before. */
export type RunningAverage = {
  /** Null before the first value. */
  readonly value: number | null
  add(value: number): void
}

/** @param weight of the last value, 0 .. 1; the first one counts whole. */
export function createRunningAverage(weight: number): RunningAverage {
  let average: number | null = null
  return {
    get value() {
      return average
    },
    add(value) {
      average = average === null ? value : average + (value - average) * weight
    },
  }
}
