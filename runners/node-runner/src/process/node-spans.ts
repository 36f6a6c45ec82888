/** The spans of a node's calls: transport, queue and handler of each message whose trace is sampled. */
import type { Envelope, NodeLaunch, Tracing } from '@kre/contracts/runtime'
import { wallClockMs } from '@kre/service-kit/runner'
import {
  createSpanExporter,
  formatTraceparent,
  newSpanId,
  parseTraceparent,
  SPAN_KIND,
  type SpanExporter,
  type TraceContext,
} from '@kre/service-kit/tracing'
import type { NodeCall } from '../calls/node-call.ts'

export type NodeSpans = {
  /** The message as the node handles it: what it sends, and what user code calls, belongs to the node's span. */
  arrived(envelope: Envelope): Envelope
  /** The same message as it came, for another replica that handles it instead. */
  asArrived(envelope: Envelope): Envelope
  handled(call: NodeCall, elapsedMs: number, success: boolean): void
}

/** The tracing of a process, whose nodes share an exporter. */
export type NodeTracing = {
  spansOf(launch: NodeLaunch): NodeSpans
  /** Sends what is left, at most `withinMs`. */
  close(withinMs: number): Promise<void>
}

export function openNodeTracing(
  { runtimeId, version }: NodeLaunch,
  { endpoint }: Tracing,
): NodeTracing {
  const exporter = createSpanExporter(endpoint, {
    'service.name': 'kre-node',
    'service.namespace': runtimeId,
    'service.version': version,
  })
  return {
    spansOf: (launch) => createNodeSpans(launch, exporter),
    close: (withinMs) => exporter.close(withinMs),
  }
}

function createNodeSpans(launch: NodeLaunch, exporter: SpanExporter): NodeSpans {
  const parents = new WeakMap<Envelope, TraceContext>()
  const { runtimeId, version, workflow, node, nodeName } = launch

  return {
    arrived(envelope) {
      const parent = parseTraceparent(envelope.metadata['traceparent'])
      if (parent === null || !parent.isSampled) return envelope
      const traceparent = formatTraceparent({ ...parent, spanId: newSpanId() })
      const traced = { ...envelope, metadata: { ...envelope.metadata, traceparent } }
      parents.set(traced, parent)
      return traced
    },
    asArrived(envelope) {
      const parent = parents.get(envelope)
      if (parent === undefined) return envelope
      const traceparent = formatTraceparent(parent)
      return { ...envelope, metadata: { ...envelope.metadata, traceparent } }
    },
    handled({ envelope, arrivedAt, startedAt, attempt }, elapsedMs, success) {
      const parent = parents.get(envelope)
      const own = parseTraceparent(envelope.metadata['traceparent'])
      if (parent === undefined || own === null) return
      const { traceId } = own
      const isFirst = attempt <= Math.max(envelope.attempt, 1)
      // Another try is a span of its own; what it sends belongs to the message's.
      const spanId = isFirst ? own.spanId : newSpanId()
      const arrived = wallClockMs(arrivedAt)
      const started = wallClockMs(startedAt)
      const sent =
        envelope.sentUnixUs === 0 ? arrived : Math.min(arrived, envelope.sentUnixUs / 1_000)
      const end = started + elapsedMs
      const error = success ? null : `the handler of node '${nodeName}' failed`
      exporter.add({
        traceId,
        spanId,
        parentSpanId: parent.spanId,
        name: `node ${node}`,
        kind: SPAN_KIND.consumer,
        startUnixMs: isFirst ? sent : arrived,
        endUnixMs: end,
        attributes: {
          'kre.runtime': runtimeId,
          'kre.version': version,
          'kre.workflow': workflow,
          'kre.node': node,
          'kre.from_node': envelope.fromNode,
          'kre.request_id': envelope.requestId,
          'kre.attempt': attempt,
          'messaging.system': 'nats',
        },
        error,
      })
      const part = (name: string, startUnixMs: number, endUnixMs: number, failed: string | null) =>
        exporter.add({
          traceId,
          spanId: newSpanId(),
          parentSpanId: spanId,
          name,
          kind: SPAN_KIND.internal,
          startUnixMs,
          endUnixMs,
          attributes: {},
          error: failed,
        })
      if (isFirst) part('transport', sent, arrived, null)
      part('queue', arrived, started, null)
      part('handler', started, end, error)
    },
  }
}
