/** What the engine sees of the cluster's workloads. What has not changed is not worked out again. */
import type { WorkloadObservation } from '@kre/contracts'
import type { V1Deployment, V1Pod } from '@kubernetes/client-node'
import type { Fleet } from './fleet.ts'
import { observeWorkload } from './observe/observe-workload.ts'
import type { KubernetesSettings } from './settings.ts'

/** @param runtimeId null = of all runtimes. @returns in no order. */
export type ObserveFleet = (runtimeId: string | null) => WorkloadObservation[]

/** @param now Unix ms. */
export function createFleetObserver(
  fleet: Fleet,
  settings: KubernetesSettings,
  now: () => number,
): ObserveFleet {
  type Known = { pods: readonly V1Pod[]; observation: WorkloadObservation | null }
  const known = new WeakMap<V1Deployment, Known>()
  const observeOne = (deployment: V1Deployment): WorkloadObservation | null => {
    const pods = fleet.podsOf(deployment.metadata?.name ?? '')
    const before = known.get(deployment)
    if (before?.pods === pods) return before.observation
    const observation = observeWorkload(deployment, pods, settings, now())
    if (isTimeless(observation)) known.set(deployment, { pods, observation })
    return observation
  }
  return (runtimeId) => {
    const all =
      runtimeId === null ? fleet.deployments.values() : fleet.deploymentsOfRuntime(runtimeId)
    return [...all].flatMap((one) => observeOne(one) ?? [])
  }
}

/** Of a pod that waits, the time says whether it has waited too long. */
function isTimeless(observation: WorkloadObservation | null): boolean {
  const replicas = observation?.replicas ?? []
  return replicas.every(({ state }) => state === 'ready' || state === 'stopping')
}
