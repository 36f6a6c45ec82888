/** Who may talk to pods of a version, and to whom they may talk: nobody, but for what is named here. */
import type { Workload } from '@kre/contracts'
import type {
  V1NetworkPolicy,
  V1NetworkPolicyEgressRule,
  V1NetworkPolicyPeer,
  V1ObjectMeta,
} from '@kubernetes/client-node'
import { PORTS } from '../pod-layout.ts'
import type { KubernetesSettings, Peer } from '../settings.ts'
import { withoutMetadata } from './cidr.ts'
import { groupLabels, groupName, LABEL } from './identity.ts'

/** One for all pods of the group, one more for its entrypoint. */
export function networkPolicies(
  of: Pick<Workload, 'runtimeId' | 'version'>,
  settings: KubernetesSettings,
  metadata: Pick<V1ObjectMeta, 'namespace' | 'ownerReferences'>,
): V1NetworkPolicy[] {
  const { network } = settings
  const group = { [LABEL.group]: groupName(of) }
  const base = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' }
  const labels = groupLabels(of, settings)
  return [
    {
      ...base,
      metadata: { ...metadata, name: groupName(of), labels },
      spec: {
        podSelector: { matchLabels: group },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [],
        egress: [
          ...[...network.nats, ...network.packages, ...network.egress].map((peer) =>
            egressRule(peer, ['TCP']),
          ),
          egressRule(network.dns, ['UDP', 'TCP']),
        ],
      },
    },
    {
      ...base,
      metadata: { ...metadata, name: groupName(of, 'callers'), labels },
      spec: {
        podSelector: { matchLabels: { ...group, [LABEL.role]: 'entrypoint' } },
        policyTypes: ['Ingress'],
        ingress: [
          {
            // Without `from`: from everywhere.
            ...(network.callers.length === 0 ? {} : { from: network.callers.map(toPeer) }),
            ports: [{ port: PORTS.grpc, protocol: 'TCP' }],
          },
        ],
      },
    },
  ]
}

function egressRule(peer: Peer, protocols: readonly string[]): V1NetworkPolicyEgressRule {
  return {
    to: [toPeer(peer)],
    ports: peer.ports.flatMap((port) => protocols.map((protocol) => ({ port, protocol }))),
  }
}

function toPeer(
  peer:
    | { cidr: string }
    | {
        namespace?: Record<string, string> | undefined
        pods?: Record<string, string> | undefined
      },
): V1NetworkPolicyPeer {
  if ('cidr' in peer) return { ipBlock: withoutMetadata(peer.cidr) }
  return {
    ...(peer.namespace === undefined ? {} : { namespaceSelector: { matchLabels: peer.namespace } }),
    // An empty selector means all pods: of the namespaces named, or of the pod's own.
    ...(peer.pods === undefined && peer.namespace !== undefined
      ? {}
      : { podSelector: { matchLabels: peer.pods ?? {} } }),
  }
}
