/** What krectl makes in a cluster besides the chart. */
import { describe, expect, jest, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { readClusterSettings } from '../../engine/krectl/src/minikube/cluster-settings.ts'
import { mongodbObjects } from '../../engine/krectl/src/minikube/mongodb-objects.ts'
import { ask, hasCluster, makeNamespace } from './support/test-cluster.ts'
import { useCluster } from './support/use-cluster.ts'

jest.setTimeout(120_000)

const APIS: Readonly<Record<string, string>> = {
  Secret: '/api/v1/namespaces/NS/secrets',
  Service: '/api/v1/namespaces/NS/services',
  StatefulSet: '/apis/apps/v1/namespaces/NS/statefulsets',
}
if (!hasCluster) describe.skip('krectl on a cluster', () => test('is not tried', () => undefined))
else describe('krectl on a cluster', onCluster)

function onCluster(): void {
  const cluster = useCluster()

  test('makes a MongoDB whose pod is let in where the restricted profile is enforced', async () => {
    await using namespace = await makeNamespace(cluster.admin)
    const settings = readClusterSettings({ NAMESPACE: namespace.name })
    const { items } = mongodbObjects(settings, 'secret') as {
      items: { kind: string; metadata: { name: string } }[]
    }
    for (const object of items) {
      const api = (APIS[object.kind] ?? '').replace('NS', namespace.name)
      const query = '?fieldManager=krectl&fieldValidation=Strict'
      await ask(cluster.admin, 'PATCH', `${api}/${object.metadata.name}${query}`, object)
    }
    const pods = await waitUntil('its pod', async () => {
      const names = await namespace.names('/api/v1/namespaces/NS/pods')
      return names.length > 0 ? names : null
    })
    expect(pods).toEqual(['kre-mongodb-0'])
    expect(await namespace.names('/api/v1/namespaces/NS/persistentvolumeclaims')).toEqual([
      'data-kre-mongodb-0',
    ])
  })
}
