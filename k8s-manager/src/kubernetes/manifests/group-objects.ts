/** What all workloads of a version share, and what its end takes with it. */
import type { Workload } from '@kre/contracts'
import type {
  V1ConfigMap,
  V1NetworkPolicy,
  V1OwnerReference,
  V1ServiceAccount,
} from '@kubernetes/client-node'
import type { KubernetesSettings } from '../settings.ts'
import { groupLabels, groupName } from './identity.ts'
import { networkPolicies } from './network-policies.ts'

type Group = Pick<Workload, 'runtimeId' | 'version'>

/** Owns every other object of the group: when it is deleted, the cluster's own collector removes them. */
export function ownerConfigMap(of: Group, settings: KubernetesSettings): V1ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace: settings.namespace,
      name: groupName(of),
      labels: groupLabels(of, settings),
      ...(Object.keys(settings.annotations).length === 0
        ? {}
        : { annotations: settings.annotations }),
    },
    data: { runtime: of.runtimeId, version: of.version ?? '' },
  }
}

export function ownerReference(of: Group, uid: string): V1OwnerReference {
  // No blockOwnerDeletion: it asks for a right on finalizers that nothing here needs.
  return { apiVersion: 'v1', kind: 'ConfigMap', name: groupName(of), uid }
}

/** Pods need an account to be made; nothing is allowed to it, and no pod gets its token. */
export function serviceAccount(
  of: Group,
  settings: KubernetesSettings,
  owner: V1OwnerReference,
): V1ServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      namespace: settings.namespace,
      name: groupName(of),
      labels: groupLabels(of, settings),
      ownerReferences: [owner],
    },
    automountServiceAccountToken: false,
  }
}

export function groupObjects(
  of: Group,
  settings: KubernetesSettings,
  owner: V1OwnerReference,
): [V1ServiceAccount, ...V1NetworkPolicy[]] {
  const metadata = { namespace: settings.namespace, ownerReferences: [owner] }
  return [serviceAccount(of, settings, owner), ...networkPolicies(of, settings, metadata)]
}
