/** A webhook that puts a container into every new pod of a namespace, as service meshes do, and asks for more rights than pods may have. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { clusterKey } from './cluster-processes.ts'
import { ask, make } from './test-cluster.ts'

const API = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'
const SIDECAR = {
  name: 'mesh',
  image: 'mesh:1',
  securityContext: { capabilities: { add: ['NET_ADMIN'] } },
}

export async function injectSidecars(admin: Cluster, namespace: string): Promise<AsyncDisposable> {
  // The certificate of the API server is for this address, too.
  const key = clusterKey('apiserver.key')
  const server = createServer({ key, cert: clusterKey('apiserver.crt') }, (request, response) => {
    void json(request).then((review) => {
      const { uid } = (review as { request: { uid: string } }).request
      const patch = [{ op: 'add', path: '/spec/containers/-', value: SIDECAR }]
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
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
        ],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        failurePolicy: 'Fail',
        timeoutSeconds: 5,
      },
    ],
  })
  // It counts a moment after it is written.
  await waitUntil('containers are put into pods', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'tried' },
      spec: { containers: [{ name: 'c', image: 'none' }] },
    }
    const tried = `/api/v1/namespaces/${namespace}/pods/tried`
    return ask(admin, 'PATCH', `${tried}?fieldManager=test&dryRun=All`, pod).then(
      () => false,
      (error: Error) => error.message.includes('mesh'),
    )
  })
  return {
    async [Symbol.asyncDispose]() {
      await ask(admin, 'DELETE', path)
      server.closeAllConnections()
      server.close()
    },
  }
}
