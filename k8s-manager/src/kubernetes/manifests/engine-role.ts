/** All that the engine may do on the cluster: in the namespace of versions, and nowhere else. */
import type { V1PolicyRule, V1Role } from '@kubernetes/client-node'
import type { PublishMode } from '../publish-settings.ts'

/**
 * It writes Secrets and never reads one. It makes no pods and enters none. What it may not do at all is bound by the
 * namespace: no right here reaches beyond it.
 */
const RULES: readonly V1PolicyRule[] = [
  rule('', 'configmaps', ['list', 'watch', 'create', 'patch', 'delete']),
  rule('', 'secrets', ['create', 'patch', 'delete']),
  rule('', 'serviceaccounts', ['create', 'patch']),
  rule('', 'services', ['get', 'list', 'watch', 'create', 'patch', 'delete']),
  rule('', 'pods', ['list', 'watch']),
  rule('', 'events', ['create']),
  rule('apps', 'deployments', ['list', 'watch', 'create', 'patch', 'delete']),
  rule('policy', 'poddisruptionbudgets', ['get', 'create', 'patch', 'delete']),
  rule('networking.k8s.io', 'networkpolicies', ['list', 'watch', 'create', 'patch']),
]

/** Only where published entrypoints are reached in that way. */
const PUBLISH_RULES: Readonly<Record<PublishMode, readonly V1PolicyRule[]>> = {
  service: [],
  ingress: [rule('networking.k8s.io', 'ingresses', ['get', 'create', 'patch', 'delete'])],
  gateway: ['httproutes', 'grpcroutes'].map((resource) =>
    rule('gateway.networking.k8s.io', resource, ['get', 'create', 'patch', 'delete']),
  ),
}

export function engineRole(
  namespace: string,
  name = 'kre',
  publish: PublishMode = 'service',
): V1Role {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name, namespace },
    rules: [...RULES, ...PUBLISH_RULES[publish]],
  }
}

function rule(apiGroup: string, resource: string, verbs: string[]): V1PolicyRule {
  return { apiGroups: [apiGroup], resources: [resource], verbs }
}
