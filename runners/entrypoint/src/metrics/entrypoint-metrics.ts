/** What an entrypoint's process counts for `/metrics`. */
import { statusName } from '@kre/contracts/runtime'
import {
  createMetricSet,
  reportMetrics,
  type Counter,
  type Histogram,
} from '@kre/service-kit/runner'
import type { Failure } from '../grpc/failure.ts'
import type { PendingRequest } from '../requests/pending-request.ts'
import type { ServedWorkflow } from '../versions/served-version.ts'

export type EntrypointMetrics = {
  ended(request: PendingRequest, elapsedMs: number, failure: Failure | null): void
  /** A request or a connection was turned away. @param reason of a closed set, as failures have it. */
  refused(reason: string): void
  /** Says the last word and ends. */
  stop(): void
}

type WorkflowSeries = {
  readonly labels: Readonly<Record<string, string>>
  /** By gRPC status. */
  readonly statuses: (Counter | undefined)[]
  readonly duration: Histogram
  readonly overhead: Histogram
}

/** `version` null: the published one. `publish` may throw while the broker is away. */
export function createEntrypointMetrics(
  self: { readonly runtimeId: string; readonly version: string | null },
  read: {
    readonly inFlight: () => number
    readonly events: () => Readonly<Record<string, number>>
  },
  publish: (subject: string, data: Uint8Array) => void,
): EntrypointMetrics {
  const metrics = createMetricSet()
  const runtime = self.runtimeId
  const own = { runtime, entrypoint: self.version ?? 'published' }
  const workflows = new Map<ServedWorkflow, WorkflowSeries>()
  /** A version that is served again has new objects and the same series. */
  const byLabels = new Map<string, WorkflowSeries>()
  metrics.gauge('kre_requests_in_flight', own, read.inFlight)
  metrics.gauge('kre_process_resident_bytes', own, () => process.memoryUsage.rss())
  metrics.events('kre_entrypoint_events_total', own, read.events)
  const refusals = new Map<string, Counter>()
  const stop = reportMetrics(runtime, metrics, publish)

  const open = (request: PendingRequest): WorkflowSeries => {
    const names = [request.method.version.ref.version, request.workflow.id] as const
    const isKnown = byLabels.has(names.join('/')) || byLabels.size < WORKFLOWS_MAX
    const [version, workflow] = isKnown ? names : REST
    const key = `${version}/${workflow}`
    let series = byLabels.get(key)
    if (series === undefined) {
      const labels = { runtime, version, workflow }
      series = {
        labels,
        statuses: [],
        duration: metrics.histogram('kre_request_duration_seconds', labels),
        overhead: metrics.histogram('kre_request_overhead_seconds', labels),
      }
      byLabels.set(key, series)
    }
    if (workflows.size >= WORKFLOWS_MAX) workflows.clear()
    workflows.set(request.workflow, series)
    return series
  }

  return {
    ended(request, elapsedMs, failure) {
      const series = workflows.get(request.workflow) ?? open(request)
      const status = failure === null ? 0 : failure.status
      let counter = series.statuses[status]
      if (counter === undefined) {
        const labels = { ...series.labels, status: statusName(status) }
        counter = metrics.counter('kre_requests_total', labels)
        series.statuses[status] = counter
      }
      counter.value++
      series.duration.observe(elapsedMs / 1_000)
      // Of a stream the caller decides how long it takes.
      if (failure === null && request.stream === null)
        series.overhead.observe((elapsedMs - request.handlerUs / 1_000) / 1_000)
    },
    refused(reason) {
      // Reasons are words of our own; should one ever be made from what came, it makes no series of its own.
      const name = refusals.has(reason) || refusals.size < REASONS_MAX ? reason : REST[0]
      let counter = refusals.get(name)
      if (counter === undefined) {
        counter = metrics.counter('kre_refusals_total', { ...own, reason: name })
        refusals.set(name, counter)
      }
      counter.value++
    },
    stop,
  }
}

/** More than there are. */
const REASONS_MAX = 100

/** Series, and objects that are held on to; more of them means that many versions came and went. */
const WORKFLOWS_MAX = 500
/** Under these names goes what is beyond; no version or workflow is called so. */
const REST = ['_other', '_other'] as const
