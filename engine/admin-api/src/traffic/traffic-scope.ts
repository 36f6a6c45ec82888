/** From what processes count to what the traffic of a version is. Pure. */
import type { Increment, Reading } from '@kre/service-kit'
import type { TrafficCounts, TrafficScope, TrafficTime } from '@kre/store'

export type TrafficIncrement = {
  readonly runtimeId: string
  readonly version: string
  readonly scope: TrafficScope
  readonly counts: TrafficCounts
}

type Level = 'workflow' | 'node' | 'edge'
type Meaning = { readonly level: Level; readonly time: TrafficTime | null }

/** Metrics that are traffic; all others are for `/metrics` alone. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  kre_requests_total: { level: 'workflow', time: null },
  kre_request_duration_seconds: { level: 'workflow', time: 'duration' },
  kre_request_overhead_seconds: { level: 'workflow', time: 'overhead' },
  kre_node_calls_total: { level: 'node', time: null },
  kre_node_handler_seconds: { level: 'node', time: 'handler' },
  kre_node_queue_seconds: { level: 'node', time: 'queue' },
  kre_node_transport_seconds: { level: 'node', time: 'transport' },
  kre_edge_messages_total: { level: 'edge', time: null },
  kre_edge_transport_seconds: { level: 'edge', time: 'transport' },
}
const GOOD_STATUSES: ReadonlySet<string> = new Set(['OK', 'ok'])

/** Null for what is no traffic, or does not say of what. */
export function trafficOf({ name, labels, value, buckets }: Increment): TrafficIncrement | null {
  const meaning = Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined
  const { runtime: runtimeId, version, workflow, node, from, status } = labels
  if (meaning === undefined || runtimeId === undefined || version === undefined) return null
  const scope = scopeOf(meaning.level, workflow, node, from)
  if (scope === null) return null
  const counts: TrafficCounts =
    meaning.time === null
      ? { calls: value, errors: GOOD_STATUSES.has(status ?? '') ? 0 : value, times: {} }
      : {
          calls: 0,
          errors: 0,
          times: { [meaning.time]: { buckets: [...buckets], sumS: value } },
        }
  return { runtimeId, version, scope, counts }
}

/** The node whose queue a gauge speaks of; null for other gauges. */
export function queueOf({ name, labels }: Reading): Omit<TrafficIncrement, 'counts'> | null {
  const { runtime: runtimeId, version, workflow, node } = labels
  const scope = scopeOf('node', workflow, node)
  if (name !== 'kre_node_queued_messages' || scope === null) return null
  return runtimeId === undefined || version === undefined ? null : { runtimeId, version, scope }
}

function scopeOf(
  level: Level,
  workflow?: string,
  node?: string,
  from?: string,
): TrafficScope | null {
  if (workflow === undefined) return null
  if (level === 'workflow') return { workflow, node: null, from: null }
  if (node === undefined) return null
  if (level === 'node') return { workflow, node, from: null }
  return from === undefined ? null : { workflow, node, from }
}
