/** The way from outside to the published entrypoint of a runtime: an Ingress, or a route of the Gateway API. */
import { objectName, type Workload } from '@kre/contracts'
import type { V1Ingress, V1ObjectMeta } from '@kubernetes/client-node'
import { PORTS } from '../pod-layout.ts'
import { ofRuntime, type PublishSettings } from '../publish-settings.ts'
import type { KubernetesSettings } from '../settings.ts'
import { workloadLabels } from './identity.ts'

/** The Gateway API has no types in the client: these are the fields that are used. */
export type GatewayRoute = {
  apiVersion: 'gateway.networking.k8s.io/v1'
  kind: 'GRPCRoute' | 'HTTPRoute'
  metadata: V1ObjectMeta
  spec: {
    parentRefs: readonly object[]
    hostnames: string[]
    rules: { backendRefs: { name: string; port: number }[] }[]
  }
}

/** `<kind>/<name>`; null = the workload has none. */
export function publishedRouteName(
  { id, version }: Workload,
  { publish }: KubernetesSettings,
): string | null {
  if (version !== null || publish.mode === 'service') return null
  return `${publish.mode === 'ingress' ? 'Ingress' : publish.kind}/${objectName(id)}`
}

/** @returns null for all but the published entrypoint, and where its Service is all there is. */
export function publishedRoute(
  workload: Workload,
  settings: KubernetesSettings,
  metadata: Pick<V1ObjectMeta, 'namespace' | 'ownerReferences'>,
): V1Ingress | GatewayRoute | null {
  const { publish } = settings
  if (workload.version !== null || publish.mode === 'service') return null
  const host = ofRuntime(publish.host, workload.runtimeId)
  const own = {
    ...metadata,
    name: objectName(workload.id),
    labels: workloadLabels(workload, settings),
    annotations: { ...settings.annotations, ...publish.annotations },
  }
  return publish.mode === 'ingress'
    ? ingress(workload, publish, own, host)
    : gatewayRoute(workload, publish, own, host)
}

function ingress(
  { id, runtimeId }: Workload,
  { className, tlsSecret }: Extract<PublishSettings, { mode: 'ingress' }>,
  metadata: V1ObjectMeta,
  host: string,
): V1Ingress {
  const service = { name: objectName(id), port: { number: PORTS.grpc } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata,
    spec: {
      ...(className === null ? {} : { ingressClassName: className }),
      ...(tlsSecret === null
        ? {}
        : { tls: [{ hosts: [host], secretName: ofRuntime(tlsSecret, runtimeId) }] }),
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service } }] } }],
    },
  }
}

function gatewayRoute(
  { id }: Workload,
  { kind, parents }: Extract<PublishSettings, { mode: 'gateway' }>,
  metadata: V1ObjectMeta,
  host: string,
): GatewayRoute {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind,
    metadata,
    spec: {
      parentRefs: parents,
      hostnames: [host],
      rules: [{ backendRefs: [{ name: objectName(id), port: PORTS.grpc }] }],
    },
  }
}
