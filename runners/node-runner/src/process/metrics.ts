/** What a node's process counts for `/metrics`. */
import type { NodeLaunch } from '@kre/contracts/runtime'
import { createMetricSet, reportMetrics, wallClockMs } from '@kre/service-kit/runner'
import type { NodeCall } from '../calls/node-call.ts'
import type { Counters } from '../counters.ts'

export type NodeMetrics = {
  /** After each handler's end. */
  handled(call: NodeCall, elapsedMs: number, success: boolean): void
  /** Says the last word and ends. */
  stop(): void
}

/**
 * Of a node.
 *
 * @param nodes that share the process: each says its share of the memory.
 * @param publish may throw while the broker is away.
 */
export function createNodeMetrics(
  launch: Pick<NodeLaunch, 'runtimeId' | 'version' | 'workflow' | 'node'>,
  counters: Counters,
  nodes: number,
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
  metrics.events('kre_node_events_total', labels, () => counters)
  metrics.gauge('kre_process_resident_bytes', labels, () => process.memoryUsage.rss() / nodes)
  const stop = reportMetrics(runtime, metrics, publish)

  return {
    handled({ envelope, arrivedAt, startedAt }, elapsedMs, success) {
      const counter = success ? ok : failed
      counter.value++
      handler.observe(elapsedMs / 1_000)
      queue.observe((startedAt - arrivedAt) / 1_000)
      if (envelope.sentUnixUs !== 0)
        transport.observe((wallClockMs(arrivedAt) - envelope.sentUnixUs / 1_000) / 1_000)
    },
    stop,
  }
}
