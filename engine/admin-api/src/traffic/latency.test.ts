import { describe, expect, test } from '@jest/globals'
import { HISTOGRAM_BOUNDS_S } from '@kre/contracts'
import { createMetricSet } from '@kre/service-kit/runner'
import { latencyOf } from './latency.ts'

/** What the histogram of a process makes of these times, in milliseconds. */
function timesOf(valuesMs: readonly number[]) {
  const metrics = createMetricSet()
  const histogram = metrics.histogram('kre_node_handler_seconds', {})
  for (const ms of valuesMs) histogram.observe(ms / 1_000)
  const [{ buckets, sum } = { buckets: [], sum: 0 }] = metrics.report().histograms
  return { buckets, sumS: sum }
}

describe('latencyOf', () => {
  test('puts each quantile into the bucket that it is in', () => {
    // A thousand times from 0.1 to 100 ms.
    const values = Array.from({ length: 1_000 }, (_, i) => (i + 1) / 10)
    const latency = latencyOf(timesOf(values))
    expect(latency).toMatchObject({ count: 1_000, mean: expect.closeTo(50.05, 6) })
    for (const [name, exact] of [
      ['p50', 50],
      ['p90', 90],
      ['p95', 95],
      ['p99', 99],
    ] as const) {
      const high = HISTOGRAM_BOUNDS_S.find((bound) => bound * 1_000 >= exact) ?? 0
      const low = HISTOGRAM_BOUNDS_S.findLast((bound) => bound * 1_000 < exact) ?? 0
      expect(latency?.[name]).toBeGreaterThanOrEqual(low * 1_000)
      expect(latency?.[name]).toBeLessThanOrEqual(high * 1_000)
    }
  })

  test('ends at the last bound, and begins at zero', () => {
    expect(latencyOf(timesOf([90_000, 100_000]))).toMatchObject({ mean: 95_000, p50: 30_000 })
    expect(latencyOf(timesOf([0, 0]))).toMatchObject({ mean: 0, p50: expect.closeTo(0.025, 9) })
  })

  test('is nothing without an observation', () => {
    expect(latencyOf(undefined)).toBeNull()
    expect(latencyOf(timesOf([]))).toBeNull()
  })
})
