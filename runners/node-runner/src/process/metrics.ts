/** What a node's process counts for `/metrics`. */
import type { NodeLaunch } from '@kre/contracts/runtime'
import {
  createMetricSet,
  reportMetrics,
  wallClockMs,
  type Counter,
  type Histogram,
} from '@kre/service-kit/runner'
import type { NodeCall } from '../calls/node-call.ts'
import type { Counters } from '../counters.ts'

export type NodeMetrics = {
  /** After each handler's end. */
  handled(call: NodeCall, elapsedMs: number, success: boolean): void
  /** Says the last word and ends. */
  stop(): void
}

/** What is under way at a node now. */
export type NodeLoad = {
  /** Messages that wait for a handler. */
  readonly queued: number
  /** Those and the ones in a handler, or to be tried again. */
  readonly inFlight: number
  /** How long the one that waits longest has waited. */
  readonly queueAgeMs: number
}

/**
 * Of a node.
 *
 * @param nodes that share the process: each says its share of the memory.
 * @param load asked when a report is made.
 * @param publish may throw while the broker is away.
 */
export function createNodeMetrics(
  launch: Pick<NodeLaunch, 'runtimeId' | 'version' | 'workflow' | 'node' | 'subscriptions'>,
  counters: Counters,
  nodes: number,
  load: () => NodeLoad,
  publish: (subject: string, data: Uint8Array) => void,
): NodeMetrics {
  const { runtimeId: runtime, version, workflow, node } = launch
  const labels = { runtime, version, workflow, node }
  const metrics = createMetricSet()
  const ok = metrics.counter('kre_node_calls_total', { ...labels, status: 'ok' })
  const failed = metrics.counter('kre_node_calls_total', { ...labels, status: 'error' })
  const handler = metrics.histogram('kre_node_handler_seconds', labels)
  const queue = metrics.histogram('kre_node_queue_seconds', labels)
  const transport = metrics.histogram('kre_node_transport_seconds', labels)
  const edges = createEdges(launch, (from): Edge => {
    const own = { ...labels, from }
    return {
      ok: metrics.counter('kre_edge_messages_total', { ...own, status: 'ok' }),
      failed: metrics.counter('kre_edge_messages_total', { ...own, status: 'error' }),
      transport: metrics.histogram('kre_edge_transport_seconds', own),
    }
  })
  metrics.events('kre_node_events_total', labels, () => counters)
  metrics.gauge('kre_node_queued_messages', labels, () => load().queued)
  metrics.gauge('kre_node_in_flight_messages', labels, () => load().inFlight)
  metrics.gauge('kre_node_queue_age_seconds', labels, () => load().queueAgeMs / 1_000)
  metrics.gauge('kre_process_resident_bytes', labels, () => process.memoryUsage.rss() / nodes)
  const stop = reportMetrics(runtime, metrics, publish)

  return {
    handled({ envelope, arrivedAt, startedAt }, elapsedMs, success) {
      const counter = success ? ok : failed
      counter.value++
      handler.observe(elapsedMs / 1_000)
      queue.observe((startedAt - arrivedAt) / 1_000)
      const edge = edges.get(envelope.fromNode)
      if (edge !== undefined) (success ? edge.ok : edge.failed).value++
      if (envelope.sentUnixUs === 0) return
      const transportS = (wallClockMs(arrivedAt) - envelope.sentUnixUs / 1_000) / 1_000
      transport.observe(transportS)
      edge?.transport.observe(transportS)
    },
    stop,
  }
}

type Edge = { ok: Counter; failed: Counter; transport: Histogram }

/** One for each sender of the manifest; whoever else sends has no edge. */
function createEdges(
  { subscriptions }: Pick<NodeLaunch, 'subscriptions'>,
  open: (from: string) => Edge,
): ReadonlyMap<string, Edge> {
  const senders = new Set(subscriptions.map(({ from }) => from))
  return new Map([...senders].map((from) => [from, open(from)]))
}
