/**
 * What the engine keeps of objects that it watches. It holds all of them in memory, for thousands of workloads: most of a
 * Pod or Deployment is a form of the workload that stands in one annotation, and is only sent, never read. Pure.
 */
import type {
  V1ContainerStatus,
  V1Deployment,
  V1DeploymentSpec,
  V1DeploymentStatus,
  V1ObjectMeta,
  V1Pod,
  V1PodSpec,
  V1PodStatus,
} from '@kubernetes/client-node'
import type { ClusterObject } from './cluster/kinds.ts'
import { ANNOTATION } from './manifests/identity.ts'
import { leanFields, type ShareFields } from './shared-fields.ts'

/** All of it, and of who owns its fields what is compared. */
export function leanObject<T extends ClusterObject>(object: T, share: ShareFields = leanFields): T {
  return { ...object, metadata: leanMetadata(object.metadata, share) }
}

/** What it is, and who owns its fields: of Services and NetworkPolicies nothing else is read. */
export function leanPart<T extends ClusterObject>(
  { apiVersion, kind, metadata }: T,
  share: ShareFields = leanFields,
): ClusterObject {
  return { ...typeOf({ apiVersion, kind }), metadata: leanMetadata(metadata, share) }
}

/** Its state, and which Secrets it uses. */
export function leanPod({ apiVersion, kind, metadata, spec, status }: V1Pod): V1Pod {
  const { annotations = {}, managedFields: _, ownerReferences: __, ...rest } = metadata ?? {}
  const kept = [ANNOTATION.workloadId, ANNOTATION.specHash].flatMap((name) => {
    const value = annotations[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    ...typeOf({ apiVersion, kind }),
    metadata: { ...rest, annotations: Object.fromEntries(kept) },
    ...leanSpec(spec),
    ...(status === undefined ? {} : { status: leanPodStatus(status) }),
  }
}

/** Conditions that say what a pod is doing. */
const POD_CONDITIONS: ReadonlySet<string> = new Set(['Ready', 'PodScheduled'])

function leanPodStatus(status: V1PodStatus): V1PodStatus {
  const { phase, reason, message, conditions } = status
  const { initContainerStatuses, containerStatuses } = status
  return {
    ...(phase === undefined ? {} : { phase }),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...(conditions === undefined
      ? {}
      : { conditions: conditions.filter(({ type }) => POD_CONDITIONS.has(type)) }),
    ...(initContainerStatuses === undefined
      ? {}
      : { initContainerStatuses: initContainerStatuses.map(leanContainer) }),
    ...(containerStatuses === undefined
      ? {}
      : { containerStatuses: containerStatuses.map(leanContainer) }),
  }
}

function leanContainer(status: V1ContainerStatus): V1ContainerStatus {
  const { name, ready, restartCount, started, state, lastState } = status
  return {
    name,
    ready,
    restartCount,
    ...(started === undefined ? {} : { started }),
    ...(state === undefined ? {} : { state }),
    ...(lastState === undefined ? {} : { lastState }),
    image: '',
    imageID: '',
  }
}

/** Its annotations, how many pods it wants and has, and which Secrets they use. */
export function leanDeployment(
  { apiVersion, kind, metadata, spec, status }: V1Deployment,
  share: ShareFields = leanFields,
): V1Deployment {
  return {
    ...typeOf({ apiVersion, kind }),
    metadata: leanMetadata(metadata, share),
    ...(spec === undefined ? {} : { spec: leanDeploymentSpec(spec) }),
    ...(status === undefined ? {} : { status: leanDeploymentStatus(status) }),
  }
}

/** What selects a Deployment's pods is read of none. */
const NO_SELECTOR = Object.freeze({})

function leanDeploymentSpec({ replicas, template }: V1DeploymentSpec): V1DeploymentSpec {
  return {
    ...(replicas === undefined ? {} : { replicas }),
    selector: NO_SELECTOR,
    template: leanSpec(template.spec),
  }
}

function leanDeploymentStatus(status: V1DeploymentStatus): V1DeploymentStatus {
  const { observedGeneration, replicas, updatedReplicas, conditions = [] } = status
  const failures = conditions.filter(({ type }) => type === 'ReplicaFailure')
  return {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(updatedReplicas === undefined ? {} : { updatedReplicas }),
    ...(failures.length === 0 ? {} : { conditions: failures }),
  }
}

function leanSpec(spec: V1PodSpec | undefined): { spec?: V1PodSpec } {
  if (spec === undefined) return {}
  const projected = (spec.volumes ?? []).filter((volume) => volume.projected !== undefined)
  return { spec: { containers: [], volumes: projected } }
}

/** Who owns an object is the group on its labels. */
function leanMetadata(metadata: V1ObjectMeta = {}, share: ShareFields): V1ObjectMeta {
  const { managedFields, ownerReferences: _, ...rest } = metadata
  return managedFields === undefined ? rest : { ...rest, managedFields: share(managedFields) }
}

function typeOf({
  apiVersion,
  kind,
}: {
  apiVersion: string | undefined
  kind: string | undefined
}): ClusterObject {
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
  }
}
