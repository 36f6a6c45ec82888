/** What this installation has in the cluster, as the cluster shows it now: all that its Role lets it watch. */
import type { KreError } from '@kre/contracts'
import type { V1ConfigMap, V1Deployment, V1Pod } from '@kubernetes/client-node'
import type { ClusterObject } from './cluster/kinds.ts'
import { type WatchDeps, type WatchedObjects, watchObjects } from './cluster/watch-objects.ts'
import { leanDeployment, leanObject, leanPart, leanPod } from './lean-objects.ts'
import { ANNOTATION, LABEL } from './manifests/identity.ts'
import { createObjectIndex, type ObjectIndex } from './object-index.ts'
import { createSharedFields } from './shared-fields.ts'

/** As `labels` in names.ts writes it. */
const RUNTIME_LABEL = 'kre.dev/runtime'

export type Fleet = {
  readonly deployments: WatchedObjects<V1Deployment>
  readonly owners: WatchedObjects<V1ConfigMap>
  readonly services: WatchedObjects<ClusterObject>
  readonly policies: WatchedObjects<ClusterObject>
  deploymentsOf(group: string): readonly V1Deployment[]
  /** Services and NetworkPolicies, in the very same list as long as none of them changes. */
  partsOf(group: string): readonly ClusterObject[]
  deploymentsOfRuntime(runtimeId: string): readonly V1Deployment[]
  /** By the Deployment's name, the very same list as long as none of them changes; ending ones are among them. */
  podsOf(deployment: string): readonly V1Pod[]
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
  const byGroup = createObjectIndex<V1Deployment>(LABEL.group)
  const byRuntime = createObjectIndex<V1Deployment>(RUNTIME_LABEL)
  const podsByWorkload = createObjectIndex<V1Pod>(LABEL.workload)
  const ownersByGroup = createObjectIndex<V1ConfigMap>(LABEL.group)
  const partsByGroup = createObjectIndex<ClusterObject>(LABEL.group)
  /** Before anybody is told: who is told looks. */
  const noting =
    <T extends ClusterObject>(...indexes: readonly ObjectIndex<T>[]) =>
    (before: T | null, now: T | null) => {
      for (const index of indexes) index.note(before, now)
      tell(before, now)
    }
  const share = createSharedFields()
  const part = (object: ClusterObject) => leanPart(object, share)
  const deployments = watchObjects<V1Deployment>(
    'Deployment',
    watchDeps,
    noting(byGroup, byRuntime),
    (object) => leanDeployment(object, share),
  )
  const pods = watchObjects('Pod', watchDeps, noting(podsByWorkload), leanPod)
  const owners = watchObjects<V1ConfigMap>(
    'ConfigMap',
    watchDeps,
    noting(ownersByGroup),
    (object) => leanObject(object, share),
  )
  const services = watchObjects('Service', watchDeps, noting(partsByGroup), part)
  const policies = watchObjects('NetworkPolicy', watchDeps, noting(partsByGroup), part)
  const all = [deployments, pods, owners, services, policies]

  return {
    deployments,
    owners,
    services,
    policies,
    deploymentsOf: (group) => byGroup.of(group),
    partsOf: (group) => partsByGroup.of(group),
    deploymentsOfRuntime: (runtimeId) => byRuntime.of(runtimeId),
    podsOf: (deployment) => podsByWorkload.of(deployment),
    groups: () => new Set([...byGroup.values(), ...ownersByGroup.values()]),
    whenAnswered: async () => {
      await Promise.all(all.map((one) => one.whenAnswered()))
    },
    problem: () => all.map((one) => one.problem()).find((one) => one !== null) ?? null,
  }
}

export function labelOf(object: ClusterObject | null, label: string): string {
  return object?.metadata?.labels?.[label] ?? ''
}
