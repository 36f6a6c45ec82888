/**
 * What the engine keeps of objects that it watches. It holds all of them in memory, for thousands of workloads: most of a
 * Pod or Deployment is a form of the workload that stands in one annotation, and is only sent, never read. Pure.
 */
import type {
  V1Deployment,
  V1DeploymentSpec,
  V1ObjectMeta,
  V1Pod,
  V1PodSpec,
} from '@kubernetes/client-node'
import type { ClusterObject } from './cluster/kinds.ts'
import { ANNOTATION } from './manifests/identity.ts'
import { leanFields, type ShareFields } from './shared-fields.ts'

/** Of who owns its fields, what is compared. */
export function leanObject<T extends ClusterObject>(object: T, share: ShareFields = leanFields): T {
  return { ...object, metadata: withComparedFields(object.metadata, share) }
}

/** Its state, and which Secrets it uses. */
export function leanPod({ apiVersion, kind, metadata, spec, status }: V1Pod): V1Pod {
  const { annotations = {}, managedFields: _, ...rest } = metadata ?? {}
  const kept = [ANNOTATION.workloadId, ANNOTATION.specHash].flatMap((name) => {
    const value = annotations[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: { ...rest, annotations: Object.fromEntries(kept) },
    ...leanSpec(spec),
    ...(status === undefined ? {} : { status }),
  }
}

/** Its annotations, how many pods it wants and has, and which Secrets they use. */
export function leanDeployment(
  { apiVersion, kind, metadata, spec, status }: V1Deployment,
  share: ShareFields = leanFields,
): V1Deployment {
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: withComparedFields(metadata, share),
    ...(spec === undefined ? {} : { spec: leanDeploymentSpec(spec) }),
    ...(status === undefined ? {} : { status }),
  }
}

function leanDeploymentSpec({ replicas, selector, template }: V1DeploymentSpec): V1DeploymentSpec {
  return {
    ...(replicas === undefined ? {} : { replicas }),
    selector,
    template: leanSpec(template.spec),
  }
}

function leanSpec(spec: V1PodSpec | undefined): { spec?: V1PodSpec } {
  if (spec === undefined) return {}
  const projected = (spec.volumes ?? []).filter((volume) => volume.projected !== undefined)
  return { spec: { containers: [], volumes: projected } }
}

function withComparedFields(
  { managedFields, ...rest }: V1ObjectMeta = {},
  share: ShareFields,
): V1ObjectMeta {
  return managedFields === undefined ? rest : { ...rest, managedFields: share(managedFields) }
}
