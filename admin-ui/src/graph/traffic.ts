import { useCallback, useRef, useSyncExternalStore } from 'react'
import type { ApiError } from '../api/api-error.ts'
import { WatchTraffic, type WatchTrafficResult } from '../gen/documents.ts'
import { useSubscription } from '../live/use-subscription.ts'
import { createStore, type Store } from '../ui/store.ts'
import { ENTRYPOINT_ID } from './graph-model.ts'

type Traffic = WatchTrafficResult['watchTraffic']
export type Total = Traffic['nodes'][number]['total']

/** What the last seconds brought, by what it is drawn at. */
export type TrafficView = {
  readonly workflows: ReadonlyMap<string, Total>
  readonly nodes: ReadonlyMap<string, Total>
  /** By `edgeKey`. */
  readonly edges: ReadonlyMap<string, Total>
}

const NONE: TrafficView = { workflows: new Map(), nodes: new Map(), edges: new Map() }

export function edgeKey(workflowId: string, from: string, to: string): string {
  return `${workflowId} ${from} ${to}`
}

export function toTrafficView(traffic: Traffic): TrafficView {
  return {
    workflows: new Map(traffic.workflows.map(({ workflowId, total }) => [workflowId, total])),
    nodes: new Map(traffic.nodes.map(({ nodeId, total }) => [nodeId, total])),
    edges: new Map(
      traffic.edges.map(({ workflowId, fromNodeId, toNodeId, total }) => [
        edgeKey(workflowId, fromNodeId, toNodeId),
        total,
      ]),
    ),
  }
}

/** The traffic of a version as it comes, outside of React: only what shows a number looks at it. */
export function useTraffic(
  runtimeId: string,
  versionName: string,
  isRunning: boolean,
): { store: Store<TrafficView>; error: ApiError | null } {
  const ref = useRef<Store<TrafficView> | null>(null)
  ref.current ??= createStore(NONE)
  const store = ref.current
  const error = useSubscription(
    WatchTraffic,
    isRunning ? { runtimeId, versionName } : null,
    ({ watchTraffic }) => store.set(toTrafficView(watchTraffic)),
  )
  return { store, error }
}

/** Of a node, or of the workflow where `id` is the entrypoint. */
export function useNodeTotal(
  store: Store<TrafficView>,
  workflowId: string,
  id: string,
): Total | undefined {
  const get = useCallback(
    () =>
      id === ENTRYPOINT_ID ? store.get().workflows.get(workflowId) : store.get().nodes.get(id),
    [store, workflowId, id],
  )
  return useSyncExternalStore(store.subscribe, get)
}

export function useEdgeTotal(store: Store<TrafficView>, key: string): Total | undefined {
  const get = useCallback(() => store.get().edges.get(key), [store, key])
  return useSyncExternalStore(store.subscribe, get)
}
