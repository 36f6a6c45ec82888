import { describe, expect, test } from '@jest/globals'
import type { MetricsReport } from '@kre/contracts'
import { createMetricSet } from '../runner/metric-set.ts'
import {
  createMetricsCollector,
  SERIES_MAX,
  type Increment,
  type MetricsCollector,
} from './metrics-collector.ts'

const LABELS = { runtime: 'rt', version: 'v1', workflow: 'wf', node: 'a' }
const START = 1_000_000
const report = (changes: Partial<MetricsReport>): MetricsReport => ({
  incarnation: 'one',
  startedUnixMs: START,
  counters: [],
  gauges: [],
  histograms: [],
  ...changes,
})
const calls = (value: number, labels: Record<string, string> = LABELS) => ({
  name: 'kre_node_calls_total',
  labels,
  value,
})
const tell = (collector: MetricsCollector, changes: Partial<MetricsReport>) =>
  collector.accept(Buffer.from(JSON.stringify(report(changes))))
const line = (collector: MetricsCollector, start: string) =>
  collector
    .expose()
    .split('\n')
    .filter((text) => text.startsWith(start))

describe('createMetricsCollector', () => {
  test('sums the replicas and lives of a node, and never falls', () => {
    const collector = createMetricsCollector(() => START)
    tell(collector, { counters: [calls(3)] })
    tell(collector, { counters: [calls(5)] })
    tell(collector, { incarnation: 'two', counters: [calls(10)] })
    // A late report of the past, and one whose labels come in another order.
    tell(collector, {
      counters: [calls(4, Object.fromEntries(Object.entries(LABELS).toReversed()))],
    })
    expect(line(collector, 'kre_node_calls_total')).toEqual([
      'kre_node_calls_total{runtime="rt",version="v1",workflow="wf",node="a"} 15',
    ])
  })

  test('does not count again what a process counted before this engine was there', () => {
    const collector = createMetricsCollector(() => START)
    tell(collector, { startedUnixMs: START - 1, counters: [calls(1_000)] })
    tell(collector, { startedUnixMs: START - 1, counters: [calls(1_002)] })
    expect(line(collector, 'kre_node_calls_total')[0]).toMatch(/ 2$/)
  })

  test('does not count again what it heard before a long silence', () => {
    let now = START
    const collector = createMetricsCollector(() => now)
    tell(collector, { counters: [calls(5)] })
    now += 180_000
    collector.expose()
    tell(collector, { counters: [calls(6)] })
    expect(line(collector, 'kre_node_calls_total')[0]).toMatch(/ 6$/)
  })

  test('goes on from what the collector before it had heard, what nobody heard included', () => {
    const first = createMetricsCollector(() => START)
    tell(first, { counters: [calls(5)] })
    tell(first, { incarnation: 'two', counters: [calls(1)] })
    const heard = first.takeHeard()
    expect(first.takeHeard()).toEqual([])
    const second = createMetricsCollector(() => START + 60_000)
    second.restore([...heard, { process: 'bad', heardAt: new Date(), totals: '{"counters":7}' }])
    tell(second, { counters: [calls(8)] })
    tell(second, { incarnation: 'two', counters: [calls(1)] })
    // Unknown, and older than this engine.
    tell(second, { incarnation: 'three', counters: [calls(100)] })
    expect(line(second, 'kre_node_calls_total')[0]).toMatch(/ 3$/)
    expect(second.takeHeard().map(({ process }) => process)).toEqual(['one', 'two', 'three'])
  })

  test('tells what each series grows by, and nothing that does not grow', () => {
    const told: Increment[] = []
    const collector = createMetricsCollector(
      () => START,
      (increment) => told.push(increment),
    )
    const bounds = Array.from({ length: 19 }, () => 0)
    const handler = (first: number, sum: number) => ({
      name: 'kre_node_handler_seconds',
      labels: LABELS,
      buckets: [first, ...bounds.slice(1)],
      sum,
    })
    tell(collector, { counters: [calls(0)], histograms: [handler(0, 0)] })
    expect(told).toEqual([])
    tell(collector, { counters: [calls(3)], histograms: [handler(2, 0.5)] })
    tell(collector, { counters: [calls(4)], histograms: [handler(2, 0.5)] })
    expect(told).toEqual([
      { name: 'kre_node_calls_total', labels: LABELS, value: 3, buckets: [] },
      {
        name: 'kre_node_handler_seconds',
        labels: LABELS,
        value: 0.5,
        buckets: [2, ...bounds.slice(1)],
      },
      { name: 'kre_node_calls_total', labels: LABELS, value: 1, buckets: [] },
    ])
  })

  test('takes counts of the runtime on whose subject they come, and no others', () => {
    const collector = createMetricsCollector(() => START)
    const message = report({ counters: [calls(1), calls(7, { ...LABELS, runtime: 'other' })] })
    collector.accept(Buffer.from(JSON.stringify(message)), 'kre.metrics.rt')
    expect(line(collector, 'kre_node_calls_total')).toEqual([
      expect.stringMatching(/runtime="rt".* 1$/),
    ])
  })

  test('writes histograms as Prometheus reads them', () => {
    const metrics = createMetricSet()
    const histogram = metrics.histogram('kre_node_handler_seconds', { node: 'a' })
    for (const seconds of [-1, 0.000_05, 0.000_06, 2, 31]) histogram.observe(seconds)
    const collector = createMetricsCollector(() => START)
    collector.accept(Buffer.from(JSON.stringify({ ...metrics.report(), startedUnixMs: START })))
    const lines = line(collector, 'kre_node_handler_seconds')
    expect(lines[0]).toBe('kre_node_handler_seconds_bucket{node="a",le="0.00005"} 2')
    expect(lines[1]).toBe('kre_node_handler_seconds_bucket{node="a",le="0.0001"} 3')
    expect(lines.slice(-3)).toEqual([
      'kre_node_handler_seconds_bucket{node="a",le="+Inf"} 5',
      'kre_node_handler_seconds_sum{node="a"} 33.00011',
      'kre_node_handler_seconds_count{node="a"} 5',
    ])
    expect(collector.expose()).toContain(
      '# HELP kre_node_handler_seconds Time in a handler.\n# TYPE kre_node_handler_seconds histogram\n',
    )
  })

  test('adds up gauges of living processes, and forgets those that are silent', () => {
    let now = START
    const collector = createMetricsCollector(() => now)
    const rss = (value: number) => ({
      gauges: [{ name: 'kre_process_resident_bytes', labels: LABELS, value }],
    })
    tell(collector, rss(10))
    tell(collector, { incarnation: 'two', ...rss(5) })
    expect(line(collector, 'kre_process_resident_bytes')[0]).toMatch(/ 15$/)
    now += 121_000
    tell(collector, { incarnation: 'two', ...rss(6) })
    expect(line(collector, 'kre_process_resident_bytes')[0]).toMatch(/ 6$/)
    now += 601_000
    expect(line(collector, 'kre_process_resident_bytes')).toEqual([])
  })

  test('survives what is no report, and labels that try to be more', () => {
    const collector = createMetricsCollector(() => START)
    for (const bad of [
      '',
      '{',
      'null',
      '[]',
      '{"incarnation":1}',
      JSON.stringify(report({})).slice(1),
    ])
      collector.accept(Buffer.from(bad))
    tell(collector, { counters: [calls(1, { node: 'a"} 7\nevil 1' })] })
    tell(collector, { counters: [{ name: 'kre_made_up', labels: {}, value: 1 }] })
    tell(collector, { counters: [{ ...calls(1), name: 'evil 1\nx' }] })
    expect(line(collector, 'kre_node_calls_total')).toEqual([
      String.raw`kre_node_calls_total{node="a\"} 7\nevil 1"} 1`,
    ])
    expect(line(collector, 'evil')).toEqual([])
    expect(line(collector, 'kre_made_up')).toEqual([])
    expect(line(collector, 'kre_engine_metric_reports_invalid_total')).toEqual([
      'kre_engine_metric_reports_invalid_total 7',
    ])
  })

  test('keeps so many series and no more', () => {
    const collector = createMetricsCollector(() => START)
    for (let i = 0; i < SERIES_MAX + 10; i++)
      tell(collector, { counters: [calls(1, { node: `n${i}` })] })
    expect(line(collector, 'kre_node_calls_total')).toHaveLength(SERIES_MAX)
    expect(line(collector, 'kre_engine_metric_series_dropped_total')).toEqual([
      'kre_engine_metric_series_dropped_total 10',
    ])
  })
})
