/** What a real control plane makes of objects that people change, own or route to. */
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, jest, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { groupName } from '../../k8s-manager/src/kubernetes/manifests/identity.ts'
import { accessSecretName } from '../../k8s-manager/src/kubernetes/manifests/secrets.ts'
import { apply, ready } from '../../k8s-manager/src/testing/apply.ts'
import { entrypointWorkload, nodeWorkload } from '../../k8s-manager/src/testing/workloads.ts'
import { findGatewayApi, installGatewayApi } from './support/gateway-api.ts'
import { driftsIn, specOf, startTarget } from './support/start-target.ts'
import { ask, hasCluster, make } from './support/test-cluster.ts'
import { useCluster } from './support/use-cluster.ts'

jest.setTimeout(120_000)

if (!hasCluster)
  describe.skip('objects of the Kubernetes target', () => test('are not tried', () => undefined))
else describe('objects of the Kubernetes target', objectsOfTheTarget)

function objectsOfTheTarget(): void {
  const cluster = useCluster()

  test('brings back what somebody has changed or removed by hand, and writes it down', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    const workloads = [nodeWorkload('etl'), entrypointWorkload()]
    await apply(target, { apply: workloads, remove: [] })
    await ready(target, 2)
    const apps = `/apis/apps/v1/namespaces/${namespace.name}/deployments`
    const [etl] = (await namespace.names('/apis/apps/v1/namespaces/NS/deployments')).filter(
      (name) => name.includes('etl'),
    )
    const before = await specOf(cluster.admin, `${apps}/${etl}`)
    const changes = [
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'theirs:latest' },
      { op: 'remove', path: '/spec/template/spec/containers/0/readinessProbe' },
      { op: 'replace', path: '/spec/replicas', value: 3 },
    ]
    const byHand = `${apps}/${etl}?fieldManager=kubectl-edit`
    await ask(cluster.admin, 'PATCH', byHand, changes, 'application/json-patch+json')
    await waitUntil('the Deployment is as it was', async () =>
      isDeepStrictEqual(await specOf(cluster.admin, `${apps}/${etl}`), before),
    )
    // It is written after what it tells of.
    const event = await waitUntil('the Event', async () => {
      const [first] = await driftsIn(cluster.admin, namespace)
      return first ?? null
    })
    expect(event).toMatchObject({ involvedObject: { kind: 'Deployment', name: etl } })
    expect(event.message).toMatch(/spec\.replicas, .*containers\[0\]\.image/)
    for (const api of [
      '/api/v1/namespaces/NS/services',
      '/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies',
    ]) {
      const names = await namespace.names(api)
      const one = `${api.replace('NS', namespace.name)}/${names[0]}`
      await ask(cluster.admin, 'DELETE', one)
      await waitUntil('it is there again', async () =>
        isDeepStrictEqual(await namespace.names(api), names),
      )
    }
    await ready(target, 2)
  })

  test('takes nothing for changed that nobody has changed, and routes to what is published', async () => {
    await using started = await startTarget(cluster.admin, {
      publish: { mode: 'ingress', host: '{runtime}.example.com', className: 'any' },
      scheduling: {
        nodeSelector: { 'kubernetes.io/hostname': 'fake-1' },
        tolerations: [{ key: 'kre', operator: 'Exists', effect: 'NoSchedule' }],
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 1,
                podAffinityTerm: {
                  topologyKey: 'zone',
                  labelSelector: { matchLabels: { any: 'thing' } },
                },
              },
            ],
          },
        },
      },
      annotations: { 'example.com/team': 'vision' },
      python: { indexUrl: 'http://index.example.com/simple' },
    })
    const { target, namespace } = started
    const resources = {
      cpuMillis: { request: 1_000, limit: 2_500 },
      gpu: { count: 1, class: null },
    }
    const workloads = [
      nodeWorkload('etl', { replicas: 2, memoryBytesMax: 4_096 * 1_024 * 1_024 }),
      nodeWorkload('model', { runner: 'python', resources }),
      entrypointWorkload(),
      entrypointWorkload(null),
    ]
    await apply(target, { apply: workloads, remove: [] })
    await ready(target, 5)
    // A second look at all of them, with what the controllers have written.
    await apply(target, { apply: workloads, remove: [] })
    await ready(target, 5)
    expect(await driftsIn(cluster.admin, namespace)).toEqual([])
    const ingresses = '/apis/networking.k8s.io/v1/namespaces/NS/ingresses'
    const [ingress] = await namespace.names(ingresses)
    expect(
      await specOf(cluster.admin, `${ingresses.replace('NS', namespace.name)}/${ingress}`),
    ).toMatchObject({
      ingressClassName: 'any',
      rules: [{ host: 'shop.example.com', http: { paths: [{ path: '/', pathType: 'Prefix' }] } }],
    })
    await using other = await started.another({ publish: { mode: 'service', type: 'NodePort' } })
    await apply(other.target, { apply: [entrypointWorkload(null)], remove: [] })
    expect(await namespace.names(ingresses)).toEqual([])
    const services = `/api/v1/namespaces/${namespace.name}/services`
    const [published] = (await namespace.names('/api/v1/namespaces/NS/services')).filter(
      (name) => !name.includes('v1'),
    )
    expect(await specOf(cluster.admin, `${services}/${published}`)).toMatchObject({
      type: 'NodePort',
    })
  })

  test.each(['HTTPRoute', 'GRPCRoute'] as const)(
    'routes by %s of the Gateway API, and says so where the cluster does not have it',
    async (kind) => {
      const definitions = await findGatewayApi()
      if (definitions === null) return
      await using started = await startTarget(cluster.admin, {
        publish: {
          mode: 'gateway',
          kind,
          host: '{runtime}.example.com',
          parents: [{ name: 'any' }],
        },
      })
      const { target, namespace } = started
      const plan = { apply: [entrypointWorkload(null)], remove: [] }
      const [refused] = await apply(target, plan)
      expect(refused?.message).toContain(`the cluster knows no ${kind}: install the Gateway API`)
      await using _installed = await installGatewayApi(cluster.admin, definitions)
      await waitUntil('it is taken', async () => (await apply(target, plan))[0]?.status !== 'error')
      await ready(target, 1)
      const routes = `/apis/gateway.networking.k8s.io/v1/namespaces/NS/${kind.toLowerCase()}s`
      const [route] = await namespace.names(routes)
      expect(
        await specOf(cluster.admin, `${routes.replace('NS', namespace.name)}/${route}`),
      ).toMatchObject({
        hostnames: ['shop.example.com'],
        rules: [{ backendRefs: [{ name: route, port: 9_000 }] }],
      })
      await apply(target, { apply: [], remove: [entrypointWorkload(null).id] })
      await waitUntil('it is gone', async () => (await namespace.names(routes)).length === 0)
    },
  )

  test('leaves Secrets and accounts of others alone that it may not read', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    const home = `/api/v1/namespaces/${namespace.name}`
    const node = nodeWorkload('etl')
    const theirs: [string, string][] = [
      ['Secret', `${home}/secrets/${accessSecretName(node)}`],
      ['ServiceAccount', `${home}/serviceaccounts/${groupName(node)}`],
    ]
    for (const [kind, path] of theirs) {
      const name = path.split('/').at(-1)
      await make(cluster.admin, path, { apiVersion: 'v1', kind, metadata: { name } })
      const before = await ask(cluster.admin, 'GET', path)
      const [stage] = await apply(target, { apply: [node], remove: [] })
      expect(stage?.message).toContain(`${kind} "${name}" in namespace`)
      expect(await ask(cluster.admin, 'GET', path)).toEqual(before)
      await ask(cluster.admin, 'DELETE', path)
    }
    await waitUntil(
      'its names are free',
      async () => (await apply(target, { apply: [node], remove: [] }))[0]?.status !== 'error',
    )
    await ready(target, 1)
  })
}
