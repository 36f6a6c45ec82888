/** Brings the objects of one workload into the cluster. */
import { KreError, objectName, type Workload } from '@kre/contracts'
import type { V1Deployment, V1OwnerReference } from '@kubernetes/client-node'
import { type ApplyDeps, assertOurs } from './apply-group.ts'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import { type ClusterObject, refOf } from './cluster/kinds.ts'
import { ANNOTATION } from './manifests/identity.ts'
import { objectsIn, renderWorkload, type WorkloadObjects } from './manifests/render-workload.ts'
import { valuesSecretName } from './manifests/secrets.ts'
import { isBeingRemoved } from './observe/observe-workload.ts'
import { configSecretsOf } from './observe/unused-secrets.ts'
import { removeRoute } from './remove-route.ts'

/**
 * Every object is applied, whether it is there or not, so that what was changed by hand is as it should be.
 *
 * @param owner of the version, all of whose other objects are there.
 * @returns whether the Deployment changed.
 * @throws KreError `already-exists` when an object of the name belongs to somebody else.
 */
export async function applyWorkload(
  deps: ApplyDeps,
  workload: Workload,
  owner: V1OwnerReference,
): Promise<boolean> {
  const { objects, fleet, settings } = deps
  const before = fleet.deployments.get(objectName(workload.id))
  const rendered = renderWorkload(workload, settings, owner, {
    name: valuesSecretName(workload),
    former: before === undefined ? [] : configSecretsOf(before),
  })
  await assertAllOurs(deps, workload, rendered, before)
  const after = await applyObjects(deps, rendered, before)
  if (before !== undefined) await removeRoute(objects, before, after)
  return (
    (before !== undefined && isBeingRemoved(before)) ||
    before?.metadata?.uid !== after.metadata?.uid ||
    before?.metadata?.generation !== after.metadata?.generation
  )
}

/** The Deployment last: its pods need the others. */
export async function applyObjects(
  { objects, fleet }: Pick<ApplyDeps, 'objects' | 'fleet'>,
  rendered: WorkloadObjects,
  before: V1Deployment | undefined,
): Promise<V1Deployment> {
  const { deployment } = rendered
  const others = objectsIn(rendered).filter((object) => object !== deployment)
  const applied = await Promise.all(others.map(async (one) => objects.apply<ClusterObject>(one)))
  for (const object of applied) if (object.kind === 'Service') fleet.services.put(object)
  if (before !== undefined && isBeingRemoved(before)) await keep(objects, deployment)
  const after = await objects.apply(deployment)
  fleet.deployments.put(after)
  return after
}

/** It was on its way out, and is wanted again: from now on nobody drains it. */
async function keep(objects: ClusterObjects, deployment: V1Deployment): Promise<void> {
  await objects.change(refOf(deployment), {
    metadata: { annotations: { [ANNOTATION.removing]: null } },
  })
}

async function assertAllOurs(
  deps: ApplyDeps,
  { id }: Workload,
  rendered: WorkloadObjects,
  before: V1Deployment | undefined,
): Promise<void> {
  const other = before?.metadata?.annotations?.[ANNOTATION.workloadId]
  if (before !== undefined && other !== undefined && other !== id)
    throw new KreError(
      'already-exists',
      `the names of "${id}" and "${other}" are the same in Kubernetes ("${before.metadata?.name}"): rename the version, workflow or node`,
    )
  if (before === undefined)
    await Promise.all(objectsIn(rendered).map(async (object) => assertOurs(deps, object)))
}
