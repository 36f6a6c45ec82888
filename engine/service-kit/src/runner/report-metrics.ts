import { metricsSubject, SECOND_MS, type MetricsReport } from '@kre/contracts/runtime'
import type { MetricSet } from './metric-set.ts'

/** A live picture of the traffic is as new as this; what it costs is measured in ADR 0025. */
const EVERY_MS = SECOND_MS
/** A process that nothing happens to says so less often; what it last said counts for longer than this. */
const IDLE_EVERY_MS = 30 * SECOND_MS
/** Rises and falls whatever happens. */
const MEMORY = 'kre_process_resident_bytes'

/**
 * Publishes what a process counts every second, with all counts since its start, so that a lost report is made
 * good by the next one. A process that has work under way speaks every second, also when nothing of it ends: who hears
 * no more of a queue knows that there is none.
 *
 * @param publish may throw while the broker is away.
 * @returns says the last word and ends.
 */
export function reportMetrics(
  runtimeId: string,
  metrics: MetricSet,
  publish: (subject: string, data: Uint8Array) => void,
): () => void {
  const subject = metricsSubject(runtimeId)
  let said = ''
  let saidAt = 0
  const report = () => {
    const current = metrics.report()
    const counts = countsOf(current)
    const now = performance.now()
    if (counts === said && !hasWork(current) && now - saidAt < IDLE_EVERY_MS) return
    try {
      publish(subject, Buffer.from(JSON.stringify(current)))
    } catch {
      return // The broker is away: the next report has all of this in it.
    }
    said = counts
    saidAt = now
  }
  const timer = setInterval(report, EVERY_MS).unref()
  return () => {
    clearInterval(timer)
    report()
  }
}

/** Gauges change all the time, for example the memory in use. */
function countsOf({ counters, histograms }: MetricsReport): string {
  return JSON.stringify([counters, histograms])
}

/** Something waits or is under way. */
function hasWork({ gauges }: MetricsReport): boolean {
  return gauges.some(({ name, value }) => name !== MEMORY && value > 0)
}
