/** The span of each sampled request at the entrypoint, the first of those in KRE. */
import type { EntrypointLaunch, Tracing } from '@kre/contracts/runtime'
import { wallClockMs } from '@kre/service-kit/runner'
import {
  createSpanExporter,
  formatTraceparent,
  newSpanId,
  newTraceId,
  parseTraceparent,
  SPAN_KIND,
} from '@kre/service-kit/tracing'
import type { Failure } from '../grpc/failure.ts'
import type { PendingRequest } from '../requests/pending-request.ts'

type Metadata = Record<string, string>

export type RequestSpans = {
  /** The metadata that travels with the request: with the span of the entrypoint where it is sampled. */
  begin(metadata: Metadata): Metadata
  ended(request: PendingRequest, elapsedMs: number, failure: Failure | null): void
  close(withinMs: number): Promise<void>
}

export function createRequestSpans(
  { runtimeId, version }: Pick<EntrypointLaunch, 'runtimeId' | 'version'>,
  { endpoint, sampleRatio }: Tracing,
): RequestSpans {
  const exporter = createSpanExporter(endpoint, {
    'service.name': 'kre-entrypoint',
    'service.namespace': runtimeId,
    'service.version': version ?? 'published',
  })
  /** Spans of callers, null where the trace begins here. */
  const parents = new WeakMap<Metadata, string | null>()

  return {
    begin(metadata) {
      const caller = parseTraceparent(metadata['traceparent'])
      if (caller === null ? Math.random() >= sampleRatio : !caller.isSampled) return metadata
      const traceId = caller?.traceId ?? newTraceId()
      const traceparent = formatTraceparent({ traceId, spanId: newSpanId(), isSampled: true })
      const traced = { ...metadata, traceparent }
      parents.set(traced, caller?.spanId ?? null)
      return traced
    },
    ended(request, elapsedMs, failure) {
      const parentSpanId = parents.get(request.metadata)
      const own = parseTraceparent(request.metadata['traceparent'])
      if (parentSpanId === undefined || own === null) return
      const startUnixMs = wallClockMs(request.startedAt)
      exporter.add({
        traceId: own.traceId,
        spanId: own.spanId,
        parentSpanId,
        name: request.method.path,
        kind: SPAN_KIND.server,
        startUnixMs,
        endUnixMs: startUnixMs + elapsedMs,
        attributes: {
          'rpc.system': 'grpc',
          'rpc.grpc.status_code': failure?.status ?? 0,
          'kre.runtime': runtimeId,
          'kre.version': request.method.version.ref.version,
          'kre.workflow': request.workflow.id,
          'kre.request_id': request.requestId,
          'kre.attempts': request.attempt,
        },
        error: failure === null ? null : failure.message,
      })
    },
    close: (withinMs) => exporter.close(withinMs),
  }
}
