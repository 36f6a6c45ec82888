/** Brings the objects of one workload into the cluster. */
import { KreError, objectName, type Workload } from '@kre/contracts'
import type { V1ConfigMap, V1Deployment, V1OwnerReference } from '@kubernetes/client-node'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import { type ClusterObject, refOf } from './cluster/kinds.ts'
import type { Fleet } from './fleet.ts'
import type { KeptAccess } from './keep-access.ts'
import { groupObjects, ownerConfigMap, ownerReference } from './manifests/group-objects.ts'
import { ANNOTATION, groupName, LABEL } from './manifests/identity.ts'
import { renderWorkload, type WorkloadObjects } from './manifests/render-workload.ts'
import { isBeingRemoved } from './observe/observe-workload.ts'
import { configSecretsOf } from './observe/unused-secrets.ts'
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
 * @returns whether the Deployment changed.
 * @throws KreError `already-exists` when an object of the name belongs to somebody else.
 */
export async function applyWorkload(deps: ApplyDeps, workload: Workload): Promise<boolean> {
  const { objects, fleet, access, settings } = deps
  const owner = await applyGroup(deps, workload)
  const before = fleet.deployments.get(objectName(workload.id))
  const rendered = renderWorkload(
    workload,
    settings,
    owner,
    before === undefined ? [] : configSecretsOf(before),
  )
  await assertOurs(deps, workload, rendered, before)
  await Promise.all([
    access.write(workload, owner),
    objects.apply(rendered.secret),
    objects.apply(rendered.budget),
    ...(rendered.service === null ? [] : [objects.apply(rendered.service)]),
  ])
  const wasRemoving = before !== undefined && isBeingRemoved(before)
  if (wasRemoving) await keep(objects, rendered.deployment)
  const after = await objects.apply(rendered.deployment)
  fleet.deployments.put(after)
  return (
    wasRemoving ||
    before?.metadata?.uid !== after.metadata?.uid ||
    before?.metadata?.generation !== after.metadata?.generation
  )
}

/** What all workloads of the version share; the owner before what it owns. */
async function applyGroup(
  { objects, fleet, settings }: ApplyDeps,
  workload: Workload,
): Promise<V1OwnerReference> {
  const config = ownerConfigMap(workload, settings)
  if (fleet.owners.get(groupName(workload)) === undefined)
    await assertLabelled(objects, config, settings)
  const applied = await objects.apply<V1ConfigMap>(config)
  fleet.owners.put(applied)
  const owner = ownerReference(workload, applied.metadata?.uid ?? '')
  await Promise.all(
    groupObjects(workload, settings, owner).map(async (object) => objects.apply(object)),
  )
  return owner
}

/** It was on its way out, and is wanted again: from now on nobody drains it. */
async function keep(objects: ClusterObjects, deployment: V1Deployment): Promise<void> {
  await objects.change(refOf(deployment), {
    metadata: { annotations: { [ANNOTATION.removing]: null } },
  })
}

/** Names have a hash of 32 bits, and an apply takes over what it finds. */
async function assertOurs(
  { objects, settings }: ApplyDeps,
  { id }: Workload,
  { deployment, service, budget }: WorkloadObjects,
  before: V1Deployment | undefined,
): Promise<void> {
  if (before !== undefined) {
    const other = before.metadata?.annotations?.[ANNOTATION.workloadId]
    if (other === undefined || other === id) return
    throw new KreError(
      'already-exists',
      `the names of "${id}" and "${other}" are the same in Kubernetes ("${before.metadata?.name}"): rename the version, workflow or node`,
    )
  }
  const all = [deployment, budget, ...(service === null ? [] : [service])]
  await Promise.all(all.map(async (object) => assertLabelled(objects, object, settings)))
}

async function assertLabelled(
  objects: ClusterObjects,
  object: ClusterObject,
  { installation, namespace }: KubernetesSettings,
): Promise<void> {
  const ref = refOf(object)
  const found = await objects.read(ref)
  if (found === null || found.metadata?.labels?.[LABEL.installation] === installation) return
  throw new KreError(
    'already-exists',
    `${ref.kind} "${ref.name}" in namespace "${namespace}" is somebody else's: it has no label ${LABEL.installation}=${installation}. Delete it, or give the installation a namespace of its own`,
  )
}
