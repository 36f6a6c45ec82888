/** What this installation has in the cluster, as the cluster shows it now: all that its Role lets it watch. */
import type { KreError } from '@kre/contracts'
import type {
  V1ConfigMap,
  V1Deployment,
  V1NetworkPolicy,
  V1Pod,
  V1Service,
} from '@kubernetes/client-node'
import type { ClusterObject } from './cluster/kinds.ts'
import { type WatchDeps, type WatchedObjects, watchObjects } from './cluster/watch-objects.ts'
import { ANNOTATION, LABEL } from './manifests/identity.ts'

export type Fleet = {
  readonly deployments: WatchedObjects<V1Deployment>
  readonly owners: WatchedObjects<V1ConfigMap>
  readonly services: WatchedObjects<V1Service>
  readonly policies: WatchedObjects<V1NetworkPolicy>
  deploymentsOf(group: string): V1Deployment[]
  /** By the Deployment's name; ending ones are among them. */
  podsByDeployment(): ReadonlyMap<string, readonly V1Pod[]>
  /** Names of all groups that something is left of. */
  groups(): Set<string>
  /** Resolves when everything was listed once, or something could not be: then `problem` says why. */
  whenAnswered(): Promise<void>
  /** Why what is known may be old; null = it is not. */
  problem(): KreError | null
}

/** @param onChange told the group, and the workload's id where one is concerned. */
export function watchFleet(
  { installation, ...deps }: Omit<WatchDeps, 'selector'> & { installation: string },
  onChange: (group: string, workloadId: string | null) => void,
): Fleet {
  const watchDeps = { ...deps, selector: `${LABEL.installation}=${installation}` }
  const tell = (before: ClusterObject | null, now: ClusterObject | null) => {
    const object = now ?? before
    const id = object?.metadata?.annotations?.[ANNOTATION.workloadId]
    onChange(labelOf(object, LABEL.group), id ?? null)
  }
  const deployments = watchObjects<V1Deployment>('Deployment', watchDeps, tell)
  const pods = watchObjects<V1Pod>('Pod', watchDeps, tell)
  const owners = watchObjects<V1ConfigMap>('ConfigMap', watchDeps, tell)
  const services = watchObjects<V1Service>('Service', watchDeps, tell)
  const policies = watchObjects<V1NetworkPolicy>('NetworkPolicy', watchDeps, tell)
  const all = [deployments, pods, owners, services, policies]

  return {
    deployments,
    owners,
    services,
    policies,
    deploymentsOf: (group) =>
      [...deployments.values()].filter((one) => labelOf(one, LABEL.group) === group),
    podsByDeployment: () => Map.groupBy(pods.values(), (pod) => labelOf(pod, LABEL.workload)),
    groups: () =>
      new Set(
        [...deployments.values(), ...owners.values()]
          .map((object) => labelOf(object, LABEL.group))
          .filter((group) => group !== ''),
      ),
    whenAnswered: async () => {
      await Promise.all(all.map((one) => one.whenAnswered()))
    },
    problem: () => all.map((one) => one.problem()).find((one) => one !== null) ?? null,
  }
}

export function labelOf(object: ClusterObject | null, label: string): string {
  return object?.metadata?.labels?.[label] ?? ''
}
