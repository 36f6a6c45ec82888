/** Which kinds of objects the engine touches, and where the API server has them. Its Role lists the same. */
import type { V1ObjectMeta } from '@kubernetes/client-node'

const KINDS = {
  ConfigMap: { group: '', version: 'v1', plural: 'configmaps' },
  Secret: { group: '', version: 'v1', plural: 'secrets' },
  Service: { group: '', version: 'v1', plural: 'services' },
  ServiceAccount: { group: '', version: 'v1', plural: 'serviceaccounts' },
  Pod: { group: '', version: 'v1', plural: 'pods' },
  Deployment: { group: 'apps', version: 'v1', plural: 'deployments' },
  PodDisruptionBudget: { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets' },
  NetworkPolicy: { group: 'networking.k8s.io', version: 'v1', plural: 'networkpolicies' },
  Ingress: { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses' },
  HTTPRoute: { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'httproutes' },
  GRPCRoute: { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'grpcroutes' },
  Event: { group: '', version: 'v1', plural: 'events' },
} as const
export type Kind = keyof typeof KINDS

export type ClusterObject = { apiVersion?: string; kind?: string; metadata?: V1ObjectMeta }
export type ObjectRef = { readonly kind: Kind; readonly name: string }

/** `/apis/apps/v1/namespaces/ns/deployments`, and with a name that of one of them. */
export function pathOf(kind: Kind, namespace: string, name?: string): string {
  const { group, version, plural } = KINDS[kind]
  const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const collection = `${base}/namespaces/${encodeURIComponent(namespace)}/${plural}`
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`
}

/** As the rules of a Role name it. */
export function ruleOf(kind: Kind): { apiGroup: string; resource: string } {
  return { apiGroup: KINDS[kind].group, resource: KINDS[kind].plural }
}

/** @throws TypeError for an object of a kind that is none of ours, which no renderer makes. */
export function refOf({ kind, metadata }: ClusterObject): ObjectRef {
  if (kind === undefined || !Object.hasOwn(KINDS, kind) || metadata?.name === undefined)
    throw new TypeError(`${kind ?? 'an object without a kind'} is not applied by this engine`)
  return { kind: kind as Kind, name: metadata.name }
}
