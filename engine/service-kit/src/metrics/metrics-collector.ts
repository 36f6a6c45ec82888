/**
 * Sums up what processes report, over their replicas and lives, as series that only grow while the engine runs.
 * Bounded whatever is reported: a process can't make the engine keep more than `SERIES_MAX` series.
 */
import { HISTOGRAM_BOUNDS_S, HOUR_MS, MetricsReport, MINUTE_MS } from '@kre/contracts'
import { z } from 'zod'
import { METRIC_HELP } from './metric-help.ts'
import { writeExposition, type ExposedSeries } from './write-exposition.ts'

export const SERIES_MAX = 5_000
const PROCESSES_MAX = 5_000
/** Longer than the pause between two reports of an idle process: those that are silent for longer show no gauges. */
const PROCESS_SILENT_MS = 2 * MINUTE_MS
/** What a process said last is needed when it is heard again, or all of it would be counted twice. */
export const PROCESS_FORGOTTEN_MS = HOUR_MS
/** A version that is gone for so long is not shown any more. */
const SERIES_SILENT_MS = 10 * MINUTE_MS
/** Of several processes the one with the most counts; other gauges add up. */
const OF_THE_MOST: ReadonlySet<string> = new Set(['kre_node_queue_age_seconds'])

export type MetricsCollector = {
  /**
   * Takes a message from `ALL_METRICS`; what is no report is counted and dropped.
   *
   * @param subject it came on: it names the runtime, and counts of others are dropped. Absent = any runtime.
   */
  accept(data: Uint8Array, subject?: string): void
  /** All series in Prometheus's text format, version 0.0.4. */
  expose(): string
  /** What processes said that were heard since the last call, for the collector after this one. */
  takeHeard(): HeardProcess[]
  /** Goes on from what another collector had heard; what is damaged is left out. Before the first report. */
  restore(heard: readonly HeardProcess[]): void
}

/** What a series grew by. */
export type Increment = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** Of a counter. Of a histogram: the sum, in seconds. */
  readonly value: number
  /** Of a histogram: observations in each bucket; empty for a counter. */
  readonly buckets: readonly number[]
}

/** What a process says of something that rises and falls. */
export type Reading = {
  /** Its life: another one after a restart. */
  readonly process: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What the engine itself knows; `METRIC_HELP` has its name. */
export type OwnGauge = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** All that a process had counted when it was heard. */
export type HeardProcess = { process: string; heardAt: Date; totals: string }

/** Totals as they are handed on: pairs of series and value. */
const Totals = z.object({
  counters: z.array(z.tuple([z.string(), z.number()])),
  histograms: z.array(
    z.tuple([z.string(), z.object({ buckets: z.array(z.number()), sum: z.number() })]),
  ),
})

type Process = {
  at: number
  counters: Map<string, number>
  histograms: Map<string, { buckets: readonly number[]; sum: number }>
  gauges: readonly { key: string; value: number }[]
}
type Series = ExposedSeries & { at: number }

/**
 * @param now in ms since 1970.
 * @param onIncrement told whatever is added to a series.
 * @param onReading told whatever gauges say.
 * @param ownGauges of the engine, asked when they are shown.
 */
export function createMetricsCollector(
  now: () => number = Date.now,
  onIncrement: (increment: Increment) => void = () => undefined,
  onReading: (reading: Reading) => void = () => undefined,
  ownGauges: () => readonly OwnGauge[] = () => [],
): MetricsCollector {
  const startedAt = now()
  const processes = new Map<string, Process>()
  const series = new Map<string, Series>()
  const heard = new Set<string>()
  const own = { reports: 0, invalidReports: 0, droppedSeries: 0 }

  const find = (name: string, labels: Readonly<Record<string, string>>, kind: Series['kind']) => {
    const key = seriesKey(name, labels)
    const known = series.get(key)
    if (known !== undefined) {
      known.at = now()
      return known.kind === kind ? known : null
    }
    if (!Object.hasOwn(METRIC_HELP, name) || series.size >= SERIES_MAX) {
      own.droppedSeries++
      return null
    }
    const made: Series = { name, labels, kind, value: 0, buckets: [], at: now() }
    if (kind === 'histogram')
      made.buckets = Array.from({ length: HISTOGRAM_BOUNDS_S.length + 1 }, () => 0)
    series.set(key, made)
    return made
  }

  const dropSilent = (forMs: number) => {
    for (const [id, process] of processes) if (now() - process.at > forMs) processes.delete(id)
  }
  const living = () =>
    [...processes.values()].filter((process) => now() - process.at <= PROCESS_SILENT_MS)
  const addCount = (target: Series | null, value: number) => {
    if (target === null || value <= 0) return
    target.value += value
    onIncrement({ name: target.name, labels: target.labels, value, buckets: [] })
  }
  const addObservations = (target: Series, value: number, buckets: readonly number[]) => {
    if (buckets.every((count) => count === 0)) return
    target.value += value
    target.buckets = target.buckets.map((count, i) => count + (buckets[i] ?? 0))
    onIncrement({ name: target.name, labels: target.labels, value, buckets })
  }
  const add = (report: MetricsReport) => {
    const before = processes.get(report.incarnation)
    if (before === undefined && processes.size >= PROCESSES_MAX) dropSilent(PROCESS_SILENT_MS)
    if (before === undefined && processes.size >= PROCESSES_MAX) return
    // What was counted before this engine was there belongs to the sums of the one before it.
    const isBaseline = before === undefined && report.startedUnixMs < startedAt
    const process: Process = { at: now(), counters: new Map(), histograms: new Map(), gauges: [] }
    for (const { name, labels, value } of report.counters) {
      const key = seriesKey(name, labels)
      process.counters.set(key, value)
      const target = find(name, labels, 'counter')
      if (!isBaseline) addCount(target, value - (before?.counters.get(key) ?? 0))
    }
    for (const { name, labels, buckets, sum } of report.histograms) {
      const key = seriesKey(name, labels)
      process.histograms.set(key, { buckets, sum })
      const target = find(name, labels, 'histogram')
      if (target === null || isBaseline || buckets.length !== target.buckets.length) continue
      const last = before?.histograms.get(key)
      const observed = buckets.map((count, i) => Math.max(0, count - (last?.buckets[i] ?? 0)))
      addObservations(target, Math.max(0, sum - (last?.sum ?? 0)), observed)
    }
    process.gauges = report.gauges.flatMap(({ name, labels, value }) => {
      if (find(name, labels, 'gauge') === null) return []
      onReading({ process: report.incarnation, name, labels, value })
      return [{ key: seriesKey(name, labels), value }]
    })
    processes.set(report.incarnation, process)
    heard.add(report.incarnation)
  }

  const forget = () => {
    const at = now()
    dropSilent(PROCESS_FORGOTTEN_MS)
    for (const [key, one] of series) if (at - one.at > SERIES_SILENT_MS) series.delete(key)
    for (const one of series.values()) if (one.kind === 'gauge') one.value = 0
    for (const { gauges } of living())
      for (const { key, value } of gauges) {
        const gauge = series.get(key)
        if (gauge === undefined) continue
        gauge.value = OF_THE_MOST.has(gauge.name)
          ? Math.max(gauge.value, value)
          : gauge.value + value
      }
  }

  return {
    accept(data, subject) {
      const parsed = MetricsReport.safeParse(parseJson(data))
      if (!parsed.success) {
        own.invalidReports++
        return
      }
      own.reports++
      add(subject === undefined ? parsed.data : ofRuntime(parsed.data, subject))
    },
    takeHeard() {
      const taken = [...heard].flatMap((id) => {
        const process = processes.get(id)
        return process === undefined ? [] : [toHeard(id, process)]
      })
      heard.clear()
      return taken
    },
    restore(all) {
      for (const { process: id, heardAt, totals } of all) {
        const parsed = Totals.safeParse(parseJson(Buffer.from(totals)))
        if (!parsed.success) continue
        const { counters, histograms } = parsed.data
        processes.set(id, {
          at: heardAt.getTime(),
          counters: new Map(counters),
          histograms: new Map(histograms),
          gauges: [],
        })
      }
    },
    expose() {
      forget()
      const counter = (name: string, value: number): ExposedSeries => ({
        name,
        labels: {},
        kind: 'counter',
        value,
        buckets: [],
      })
      const gauge = (name: string, value: number): ExposedSeries => ({
        ...counter(name, value),
        kind: 'gauge',
      })
      return writeExposition([
        ...series.values(),
        ...ownGauges().map(({ name, labels, value }) => ({ ...gauge(name, value), labels })),
        counter('kre_engine_metric_reports_total', own.reports),
        counter('kre_engine_metric_reports_invalid_total', own.invalidReports),
        counter('kre_engine_metric_series_dropped_total', own.droppedSeries),
        gauge('kre_engine_reporting_processes', living().length),
        gauge('kre_engine_resident_bytes', process.memoryUsage.rss()),
        gauge('kre_engine_start_time_seconds', startedAt / 1_000),
      ])
    },
  }
}

function toHeard(process: string, { at, counters, histograms }: Process): HeardProcess {
  const totals: z.infer<typeof Totals> = {
    counters: [...counters],
    histograms: [...histograms].map(([key, { buckets, sum }]) => [
      key,
      { buckets: [...buckets], sum },
    ]),
  }
  return { process, heardAt: new Date(at), totals: JSON.stringify(totals) }
}

/** The counts that a process may speak of: those of the runtime on whose subject it is heard. */
function ofRuntime(report: MetricsReport, subject: string): MetricsReport {
  const runtime = subject.slice(subject.lastIndexOf('.') + 1)
  const isOwn = ({ labels }: { labels: Readonly<Record<string, string>> }) =>
    labels['runtime'] === runtime
  return {
    ...report,
    counters: report.counters.filter(isOwn),
    gauges: report.gauges.filter(isOwn),
    histograms: report.histograms.filter(isOwn),
  }
}

/** Labels in the order of their names: the same series, however a process writes them. */
function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([name, pairs])
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString('utf8'))
  } catch {
    return null // refused by the schema
  }
}
