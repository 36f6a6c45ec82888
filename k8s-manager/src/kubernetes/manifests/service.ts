import { objectName, type Workload } from '@kre/contracts'
import type { V1ObjectMeta, V1PodDisruptionBudget, V1Service } from '@kubernetes/client-node'
import { PORTS } from '../pod-layout.ts'
import type { KubernetesSettings } from '../settings.ts'
import { LABEL, workloadLabels } from './identity.ts'

/** The address of an entrypoint. That of a runtime's published one stays the same whatever is published. */
export function entrypointService(
  workload: Workload,
  settings: KubernetesSettings,
  metadata: Pick<V1ObjectMeta, 'namespace' | 'ownerReferences'>,
): V1Service {
  const { publish } = settings
  const own = workload.version === null && publish.mode === 'service' ? publish : null
  const labels = workloadLabels(workload, settings)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...metadata,
      name: objectName(workload.id),
      labels,
      ...(own === null || Object.keys(own.annotations).length === 0
        ? {}
        : { annotations: own.annotations }),
    },
    spec: {
      type: own?.type ?? 'ClusterIP',
      selector: { [LABEL.workload]: labels[LABEL.workload] ?? '' },
      ports: [
        {
          name: 'grpc',
          port: PORTS.grpc,
          targetPort: 'grpc',
          protocol: 'TCP',
          // HTTP/2 without TLS, for meshes and gateways.
          appProtocol: 'kubernetes.io/h2c',
        },
      ],
    },
  }
}

/** `host:port` inside of the cluster. */
export function serviceAddress(workloadId: string, { namespace }: KubernetesSettings): string {
  return `${objectName(workloadId)}.${namespace}.svc:${PORTS.grpc}`
}

/** Nodes of the cluster that are emptied take one replica at a time. */
export function disruptionBudget(
  workload: Workload,
  settings: KubernetesSettings,
  metadata: Pick<V1ObjectMeta, 'namespace' | 'ownerReferences'>,
): V1PodDisruptionBudget {
  const labels = workloadLabels(workload, settings)
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { ...metadata, name: objectName(workload.id), labels },
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: { [LABEL.workload]: labels[LABEL.workload] ?? '' } },
      // A pod that does not work protects nothing, and must not keep a node of the cluster from being emptied.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  }
}
