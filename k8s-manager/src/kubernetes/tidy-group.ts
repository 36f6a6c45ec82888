/** Takes workloads of a group out of the cluster, step by step as their pods end, and what nobody uses any more. */
import type { V1Deployment, V1Pod } from '@kubernetes/client-node'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import type { ObjectRef } from './cluster/kinds.ts'
import type { Fleet } from './fleet.ts'
import { labelOf } from './fleet.ts'
import { ANNOTATION, LABEL } from './manifests/identity.ts'
import { accessSecretName } from './manifests/secrets.ts'
import { isBeingRemoved } from './observe/observe-workload.ts'
import { planRemoval } from './observe/plan-removal.ts'
import { configSecretsOf, unusedSecrets } from './observe/unused-secrets.ts'
import { removeRoute } from './remove-route.ts'

/** One pass. What it changes brings news, and with it the next pass. */
export async function tidyGroup(
  objects: ClusterObjects,
  fleet: Fleet,
  group: string,
): Promise<void> {
  const deployments = fleet.deploymentsOf(group)
  const podsOf = (deployment: V1Deployment) => fleet.podsOf(nameOf(deployment))
  const plan = planRemoval({
    workloads: deployments.map((one) => ({
      name: nameOf(one),
      role: labelOf(one, LABEL.role) === 'entrypoint' ? 'entrypoint' : 'node',
      isRemoving: isBeingRemoved(one),
      replicas: one.spec?.replicas ?? 1,
      // A pod that the cluster counts and we have not seen yet is one too.
      pods: Math.max(podsOf(one).length, one.status?.replicas ?? 0),
    })),
  })
  let isEmpty = plan.removesGroup
  for (const deployment of deployments) {
    if (plan.drain.includes(nameOf(deployment))) await drain(objects, deployment)
    else if (plan.remove.includes(nameOf(deployment)))
      isEmpty = (await removeWorkload(objects, deployment)) && isEmpty
  }
  if (isEmpty) await removeOwner(objects, fleet, group)
  else if (plan.drain.length + plan.remove.length === 0)
    await dropUnusedSecrets(
      objects,
      deployments.map((one) => [one, podsOf(one)] as const),
    )
}

/** The cluster's collector takes with it all that is left. What we know may be old, so the cluster is asked once more. */
async function removeOwner(objects: ClusterObjects, fleet: Fleet, group: string): Promise<void> {
  const owner = fleet.owners.get(group)
  const uid = owner?.metadata?.uid
  if (uid === undefined) return
  if (await objects.hasAny('Deployment', `${LABEL.group}=${group}`)) return
  const { runtime = '', version = '' } = owner?.data ?? {}
  // What lets processes in goes at once; the collector may take its time.
  if (runtime !== '')
    await objects.remove({
      kind: 'Secret',
      name: accessSecretName({ runtimeId: runtime, version: version === '' ? null : version }),
    })
  await objects.remove({ kind: 'ConfigMap', name: group }, { uid })
}

async function drain(objects: ClusterObjects, deployment: V1Deployment): Promise<void> {
  await objects.change(refOf(deployment), {
    metadata: { resourceVersion: deployment.metadata?.resourceVersion },
    spec: { replicas: 0 },
  })
}

/** The Deployment last: until it is gone, it says that the rest has to go. */
async function removeWorkload(objects: ClusterObjects, deployment: V1Deployment): Promise<boolean> {
  const name = nameOf(deployment)
  await Promise.all([
    removeOwn(objects, { kind: 'PodDisruptionBudget', name }, name),
    removeRoute(objects, deployment, null),
    ...(labelOf(deployment, LABEL.role) === 'entrypoint'
      ? [removeOwn(objects, { kind: 'Service', name }, name)]
      : []),
  ])
  const { uid = '', resourceVersion = '' } = deployment.metadata ?? {}
  // Applied again in the meantime, it is another version, and stays.
  return objects.remove(refOf(deployment), { uid, resourceVersion })
}

/** Something that somebody else has made under the name stays. */
async function removeOwn(objects: ClusterObjects, ref: ObjectRef, workload: string): Promise<void> {
  const found = await objects.read(ref)
  if (found?.metadata?.labels?.[LABEL.workload] !== workload) return
  await objects.remove(ref, { uid: found.metadata.uid ?? '' })
}

async function dropUnusedSecrets(
  objects: ClusterObjects,
  group: readonly (readonly [V1Deployment, readonly V1Pod[]])[],
): Promise<void> {
  const { forget, remove } = unusedSecrets(group)
  for (const name of remove) await objects.remove({ kind: 'Secret', name })
  for (const [deployment, unused] of forget) {
    const left = configSecretsOf(deployment).filter((name) => !unused.includes(name))
    await objects.change(refOf(deployment), {
      metadata: {
        resourceVersion: deployment.metadata?.resourceVersion,
        annotations: { [ANNOTATION.configSecrets]: left.length === 0 ? null : left.join(',') },
      },
    })
  }
}

function refOf(deployment: V1Deployment): ObjectRef {
  return { kind: 'Deployment', name: nameOf(deployment) }
}

function nameOf({ metadata }: V1Deployment): string {
  return metadata?.name ?? ''
}
