/** Brings into the cluster what all workloads of a version share. */
import { KreError, type Workload } from '@kre/contracts'
import type { V1ConfigMap, V1OwnerReference } from '@kubernetes/client-node'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import { type ClusterObject, refOf } from './cluster/kinds.ts'
import type { Fleet } from './fleet.ts'
import type { KeptAccess } from './keep-access.ts'
import { groupObjects, ownerConfigMap, ownerReference } from './manifests/group-objects.ts'
import { groupName, LABEL } from './manifests/identity.ts'
import { accessSecretName, valuesSecret } from './manifests/secrets.ts'
import { isBeingRemoved, workloadIn } from './observe/observe-workload.ts'
import type { KubernetesSettings } from './settings.ts'

export type ApplyDeps = {
  objects: ClusterObjects
  fleet: Fleet
  access: KeptAccess
  settings: KubernetesSettings
}

/**
 * Every object is applied, whether it is there or not, so that what was changed by hand is as it should be.
 *
 * @param workloads of one group, that are to run; those that run already keep their credentials.
 * @throws KreError `already-exists` when an object of the name belongs to somebody else.
 */
export async function applyGroup(
  deps: ApplyDeps,
  workloads: readonly [Workload, ...Workload[]],
): Promise<V1OwnerReference> {
  const { objects, fleet, settings, access } = deps
  const [first] = workloads
  const config = ownerConfigMap(first, settings)
  const isNew = fleet.owners.get(groupName(first)) === undefined
  if (isNew) await assertOurs(deps, config)
  const shared = (owner: V1OwnerReference) => [
    ...groupObjects(first, settings, owner),
    ...valuesSecrets(workloads, settings, owner),
  ]
  if (isNew) {
    await Promise.all([
      ...shared(ownerReference(first, '')).map(async (object) => assertOurs(deps, object)),
      assertOurs(deps, { kind: 'Secret', metadata: { name: accessSecretName(first) } }),
    ])
  }
  const applied = await objects.apply<V1ConfigMap>(config)
  fleet.owners.put(applied)
  const owner = ownerReference(first, applied.metadata?.uid ?? '')
  await Promise.all([
    access.write({ workloads: withRunning(fleet, workloads), owner }),
    ...shared(owner).map(async (object) => {
      const after = await objects.apply(object)
      if (object.kind === 'NetworkPolicy') fleet.policies.put(after)
    }),
  ])
  return owner
}

/** Its Secret holds the credentials of all of them. */
function withRunning(
  fleet: Fleet,
  wanted: readonly [Workload, ...Workload[]],
): readonly Workload[] {
  const ids = new Set(wanted.map(({ id }) => id))
  const running = fleet.deploymentsOf(groupName(wanted[0])).flatMap((one) => workloadIn(one) ?? [])
  return [...wanted, ...running.filter(({ id }) => !ids.has(id))]
}

/** Workloads with the same configuration have one Secret. */
function valuesSecrets(
  workloads: readonly Workload[],
  settings: KubernetesSettings,
  owner: V1OwnerReference,
): ClusterObject[] {
  const metadata = { namespace: settings.namespace, ownerReferences: [owner] }
  const secrets = workloads.flatMap((one) => valuesSecret(one, settings, metadata) ?? [])
  return [...new Map(secrets.map((one) => [one.metadata?.name, one])).values()]
}

/** Names have a hash of 32 bits, and an apply takes over what it finds. */
export async function assertOurs(
  { objects, settings: { installation, namespace } }: Pick<ApplyDeps, 'objects' | 'settings'>,
  object: ClusterObject,
): Promise<void> {
  const ref = refOf(object)
  if (!(await objects.isForeign(ref, installation))) return
  throw new KreError(
    'already-exists',
    `${ref.kind} "${ref.name}" in namespace "${namespace}" is somebody else's: it has no label ${LABEL.installation}=${installation}. Delete it, or give the installation a namespace of its own`,
  )
}

/** Workloads of the group that stay, with its owner; null = nobody knows the owner yet. */
export function runningGroup(
  fleet: Fleet,
  group: string,
): { workloads: Workload[]; owner: V1OwnerReference } | null {
  const workloads = fleet
    .deploymentsOf(group)
    .flatMap((one) => (isBeingRemoved(one) ? [] : (workloadIn(one) ?? [])))
  const uid = fleet.owners.get(group)?.metadata?.uid
  const [first] = workloads
  if (first === undefined || uid === undefined) return null
  return { workloads, owner: ownerReference(first, uid) }
}
