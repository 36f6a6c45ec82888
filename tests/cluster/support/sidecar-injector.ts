/** Webhooks that change what is written into a namespace, as service meshes and policies of a cluster do. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { clusterKey } from './cluster-processes.ts'
import { ask, make } from './test-cluster.ts'

const API = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'

export type Mutation = {
  resource: 'pods' | 'deployments'
  /** JSON patch of each object that is made or changed. */
  patch: readonly object[]
}

/** Puts a container into every new pod that asks for more rights than pods may have. */
export async function injectSidecars(admin: Cluster, namespace: string): Promise<AsyncDisposable> {
  const securityContext = { capabilities: { add: ['NET_ADMIN'] } }
  const sidecar = { name: 'mesh', image: 'mesh:1', securityContext }
  const patch = [{ op: 'add', path: '/spec/containers/-', value: sidecar }]
  return mutateObjects(admin, namespace, { resource: 'pods', patch })
}

export async function mutateObjects(
  admin: Cluster,
  namespace: string,
  { resource, patch }: Mutation,
): Promise<AsyncDisposable> {
  let asked = 0
  // The certificate of the API server is for this address, too.
  const key = clusterKey('apiserver.key')
  const server = createServer({ key, cert: clusterKey('apiserver.crt') }, (request, response) => {
    void json(request).then((review) => {
      const { uid } = (review as { request: { uid: string } }).request
      asked += 1
      const encoded = Buffer.from(JSON.stringify(patch)).toString('base64')
      const answer = { uid, allowed: true, patchType: 'JSONPatch', patch: encoded }
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: answer,
        }),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const path = `${API}/${namespace}`
  await make(admin, path, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: namespace },
    webhooks: [
      {
        name: 'mesh.example.com',
        clientConfig: {
          url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
          caBundle: Buffer.from(clusterKey('ca.crt')).toString('base64'),
        },
        rules: [
          {
            apiGroups: ['', 'apps'],
            apiVersions: ['v1'],
            // Containers of a pod can't be changed.
            operations: resource === 'pods' ? ['CREATE'] : ['CREATE', 'UPDATE'],
            resources: [resource],
          },
        ],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        failurePolicy: 'Fail',
        timeoutSeconds: 5,
      },
    ],
  })
  const tried =
    resource === 'pods'
      ? { apiVersion: 'v1', kind: 'Pod', path: `/api/v1/namespaces/${namespace}/pods/tried` }
      : {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          path: `/apis/apps/v1/namespaces/${namespace}/deployments/tried`,
        }
  // It counts a moment after it is written.
  await waitUntil('the webhook is asked', async () => {
    const { path: at, ...type } = tried
    const spec = { containers: [{ name: 'c', image: 'none' }] }
    const object = {
      ...type,
      metadata: { name: 'tried' },
      spec:
        resource === 'pods'
          ? spec
          : { selector: {}, template: { metadata: { annotations: {} }, spec } },
    }
    await ask(admin, 'PATCH', `${at}?fieldManager=test&dryRun=All`, object).catch(() => null)
    return asked > 0
  })
  return {
    async [Symbol.asyncDispose]() {
      await ask(admin, 'DELETE', path)
      server.closeAllConnections()
      server.close()
    },
  }
}
