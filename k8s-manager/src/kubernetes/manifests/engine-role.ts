/** All that the engine may do on the cluster: in the namespace of versions, and nowhere else. */
import type { V1PolicyRule, V1Role } from '@kubernetes/client-node'

/**
 * It writes Secrets and never reads one: who takes the engine's account over learns no value of any version. It makes no
 * pods and enters none. What it may not do at all is bound by the namespace: no right here reaches beyond it.
 */
const RULES: readonly V1PolicyRule[] = [
  rule('', 'configmaps', ['get', 'list', 'watch', 'create', 'patch', 'delete']),
  rule('', 'secrets', ['create', 'patch', 'delete']),
  rule('', 'serviceaccounts', ['create', 'patch']),
  rule('', 'services', ['get', 'create', 'patch', 'delete']),
  rule('', 'pods', ['list', 'watch']),
  rule('apps', 'deployments', ['get', 'list', 'watch', 'create', 'patch', 'delete']),
  rule('policy', 'poddisruptionbudgets', ['get', 'create', 'patch', 'delete']),
  rule('networking.k8s.io', 'networkpolicies', ['create', 'patch']),
]

export function engineRole(namespace: string, name = 'kre'): V1Role {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name, namespace },
    rules: [...RULES],
  }
}

function rule(apiGroup: string, resource: string, verbs: string[]): V1PolicyRule {
  return { apiGroups: [apiGroup], resources: [resource], verbs }
}
