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
import { ANNOTATION, FIELD_MANAGER } from './manifests/identity.ts'

/** Without the fields of others; that they have some is kept. */
export function leanObject<T extends ClusterObject>(object: T): T {
  return { ...object, metadata: withOwnFields(object.metadata) }
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
export function leanDeployment({
  apiVersion,
  kind,
  metadata,
  spec,
  status,
}: V1Deployment): V1Deployment {
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: withOwnFields(metadata),
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

function withOwnFields(metadata: V1ObjectMeta | undefined): V1ObjectMeta {
  const { managedFields, ...rest } = metadata ?? {}
  if (managedFields === undefined) return rest
  return {
    ...rest,
    managedFields: managedFields.map((entry) => {
      const { fieldsV1: _, ...others } = entry
      return entry.manager === FIELD_MANAGER && (entry.subresource ?? '') === '' ? entry : others
    }),
  }
}
