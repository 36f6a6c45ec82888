import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { MetricsReport } from '@kre/contracts'
import { createMetricSet } from './metric-set.ts'
import { reportMetrics } from './report-metrics.ts'

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

const parse = (data: Uint8Array) => JSON.parse(Buffer.from(data).toString()) as MetricsReport

describe('reportMetrics', () => {
  test('says what has changed every second, and what has not less often', () => {
    const metrics = createMetricSet()
    const calls = metrics.counter('kre_node_calls_total', { node: 'a' })
    const values: number[] = []
    const stop = reportMetrics('rt', metrics, (subject, data) => {
      expect(subject).toBe('kre.metrics.rt')
      values.push(parse(data).counters[0]?.value ?? -1)
    })
    calls.value = 1
    jest.advanceTimersByTime(1_000)
    expect(values).toEqual([1])
    jest.advanceTimersByTime(29_000)
    expect(values).toEqual([1])
    jest.advanceTimersByTime(1_000)
    expect(values).toEqual([1, 1])
    calls.value = 3
    stop()
    expect(values).toEqual([1, 1, 3])
    jest.advanceTimersByTime(60_000)
    expect(values).toHaveLength(3)
  })

  test('goes on saying what waits while nothing ends, and no more when nothing waits', () => {
    const metrics = createMetricSet()
    let queued = 3
    metrics.gauge('kre_node_queued_messages', {}, () => queued)
    metrics.gauge('kre_process_resident_bytes', {}, () => 1e6)
    let reports = 0
    const stop = reportMetrics('rt', metrics, () => void reports++)
    jest.advanceTimersByTime(5_000)
    expect(reports).toBe(5)
    queued = 0
    jest.advanceTimersByTime(5_000)
    expect(reports).toBe(5)
    stop()
  })

  test('says it again when the broker was away', () => {
    const metrics = createMetricSet()
    metrics.events('kre_node_events_total', {}, () => ({ lateOutputs: 2 }))
    let isUp = false
    const reports: MetricsReport[] = []
    const stop = reportMetrics('rt', metrics, (_subject, data) => {
      if (!isUp) throw new Error('away')
      reports.push(parse(data))
    })
    jest.advanceTimersByTime(1_000)
    isUp = true
    jest.advanceTimersByTime(1_000)
    expect(reports.map(({ counters }) => counters)).toEqual([
      [{ name: 'kre_node_events_total', labels: { event: 'late_outputs' }, value: 2 }],
    ])
    stop()
  })
})
