/**
 * What one process counts. Written for the path of requests: a count is an addition, an observation an addition in an
 * array. Labels are given once, when the series is made; they come from manifests and closed sets, never from requests.
 */
import { randomUUID } from 'node:crypto'
import { HISTOGRAM_BOUNDS_S, type MetricsReport } from '@kre/contracts/runtime'

export type Labels = Readonly<Record<string, string>>
export type Counter = { value: number }
export type Histogram = {
  /** Negative times, from clocks that differ, count as 0. */
  observe(seconds: number): void
}

export type MetricSet = {
  counter(name: string, labels: Labels): Counter
  histogram(name: string, labels: Labels): Histogram
  /** Asked when a report is made. */
  gauge(name: string, labels: Labels, read: () => number): void
  /** Counters that are read instead of written; the name of each becomes the label `event`. */
  events(name: string, labels: Labels, read: () => Readonly<Record<string, number>>): void
  report(): MetricsReport
}

const BOUNDS = Float64Array.from(HISTOGRAM_BOUNDS_S)

export function createMetricSet(): MetricSet {
  const incarnation = randomUUID()
  const startedUnixMs = Date.now()
  const counters: (Series & { counter: Counter })[] = []
  const histograms: (Series & { buckets: Float64Array; sum: () => number })[] = []
  const gauges: (Series & { read: () => number })[] = []
  const events: (Series & { read: () => Readonly<Record<string, number>> })[] = []

  return {
    counter(name, labels) {
      const counter: Counter = { value: 0 }
      counters.push({ name, labels, counter })
      return counter
    },
    histogram(name, labels) {
      const buckets = new Float64Array(BOUNDS.length + 1)
      let sum = 0
      histograms.push({ name, labels, buckets, sum: () => sum })
      return {
        observe(seconds) {
          const value = seconds > 0 ? seconds : 0
          let at = 0
          while (at < BOUNDS.length && value > (BOUNDS[at] as number)) at++
          buckets[at] = (buckets[at] as number) + 1
          sum += value
        },
      }
    },
    gauge: (name, labels, read) => void gauges.push({ name, labels, read }),
    events: (name, labels, read) => void events.push({ name, labels, read }),
    report: () => ({
      incarnation,
      startedUnixMs,
      counters: [
        ...counters.map(({ name, labels, counter }) => ({ name, labels, value: counter.value })),
        ...events.flatMap(({ name, labels, read }) =>
          Object.entries(read()).map(([event, value]) => ({
            name,
            labels: { ...labels, event: snakeCase(event) },
            value,
          })),
        ),
      ],
      gauges: gauges.map(({ name, labels, read }) => ({ name, labels, value: read() })),
      histograms: histograms.map(({ name, labels, buckets, sum }) => ({
        name,
        labels,
        buckets: [...buckets],
        sum: sum(),
      })),
    }),
  }
}

type Series = { readonly name: string; readonly labels: Labels }

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
