import { workloadId } from '@kre/contracts'
import type {
  EventBus,
  Placement,
  ReplicaObservation,
  ReplicaState,
  WorkloadObservation,
} from '@kre/contracts'
import type { Store } from '@kre/store'

export type Observation = {
  /** State of every replica of these versions; the others are ready. */
  states?: Record<string, ReplicaState>
  restarts?: number
  reason?: string
  failures?: Record<string, string>
  /** Versions whose processes are still there although no release wants them. */
  leaving?: string[]
}

/** Writes what a converger would have observed once the release in force is applied. */
export async function observeRuntime(
  { store, events }: { store: Store; events: EventBus },
  runtimeId: string,
  observation: Observation = {},
): Promise<void> {
  const release = await store.releases.current(runtimeId)
  const wanted = release?.running.map(({ version }) => version) ?? []
  const versions = [...new Set([...wanted, ...(observation.leaving ?? [])])]
  const workloads = await Promise.all(
    versions.map(async (version) => {
      const state = observation.states?.[version] ?? 'ready'
      const facts = (await store.versions.find(runtimeId, version))?.facts
      const nodes = (facts?.manifest.workflows ?? []).flatMap((workflow) =>
        workflow.nodes.map((node) => ({ workflow: workflow.id, node: node.id })),
      )
      return [
        ...nodes.map((node) => workload({ runtimeId, version }, node, replica(state, observation))),
        workload({ runtimeId, version }, null, replica(state, observation)),
      ]
    }),
  )
  const published = workload({ runtimeId, version: null }, null, replica('ready', {}))
  const placement: Placement = {
    runtimeId,
    generation: release?.generation ?? 0,
    workloads: [...workloads.flat(), published],
    routed: release?.published ?? null,
    failures: observation.failures ?? {},
    stages: {},
    observedAt: new Date(),
  }
  await store.placements.put(placement)
  events.publish({ type: 'placement.observed', runtimeId })
}

function workload(
  of: { runtimeId: string; version: string | null },
  node: { workflow: string; node: string } | null,
  replicaState: ReplicaObservation,
): WorkloadObservation {
  return {
    id: workloadId(of, node ?? undefined),
    ...of,
    role: node === null ? 'entrypoint' : 'node',
    workflow: node?.workflow ?? null,
    node: node?.node ?? null,
    replicasWanted: 1,
    specHash: 'h',
    replicas: [replicaState],
    address: node === null ? `127.0.0.1:${of.version === null ? 7000 : 7001}` : '',
  }
}

function replica(state: ReplicaState, observation: Observation): ReplicaObservation {
  return {
    replica: 0,
    state,
    specHash: 'h',
    pid: 1,
    startedAt: new Date(),
    restarts: observation.restarts ?? 0,
    isOverdue: false,
    reason: state === 'ready' ? '' : (observation.reason ?? 'not ready yet'),
  }
}
