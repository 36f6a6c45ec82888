/** A policy of the cluster by which there may be no Deployments in a namespace. */
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { ask, make } from './test-cluster.ts'

const API = '/apis/admissionregistration.k8s.io/v1'
const MESSAGE = 'not on a Friday'

export async function forbidDeployments(
  admin: Cluster,
  namespace: string,
): Promise<AsyncDisposable> {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const metadata = { name: namespace }
  const policy = `${API}/validatingadmissionpolicies/${namespace}`
  const binding = `${API}/validatingadmissionpolicybindings/${namespace}`
  await make(admin, policy, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        resourceRules: [
          {
            apiGroups: ['apps'],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['deployments'],
          },
        ],
      },
      validations: [{ expression: 'false', message: MESSAGE }],
    },
  })
  await make(admin, binding, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: { policyName: namespace, validationActions: ['Deny'] },
  })
  // It counts a moment after it is written.
  await waitUntil('the policy counts', async () => {
    const labels = { app: 'none' }
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'none' }] } }
    const tried = ask(
      admin,
      'PATCH',
      `/apis/apps/v1/namespaces/${namespace}/deployments/tried?fieldManager=test&dryRun=All`,
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'tried' },
        spec: { selector: { matchLabels: labels }, template },
      },
    )
    return tried.then(
      () => false,
      (error: Error) => error.message.includes(MESSAGE),
    )
  })
  return {
    async [Symbol.asyncDispose]() {
      await ask(admin, 'DELETE', binding)
      await ask(admin, 'DELETE', policy)
    },
  }
}
