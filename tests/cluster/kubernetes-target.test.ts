/** The target for Kubernetes on a real control plane, with the rights of its Role, under Pod Security `restricted`. */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Target, WorkloadObservation } from '@kre/contracts'
import { createLogger, waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { createKubernetesTarget } from '../../k8s-manager/src/kubernetes/create-kubernetes-target.ts'
import { groupName } from '../../k8s-manager/src/kubernetes/manifests/identity.ts'
import { accessSecretName } from '../../k8s-manager/src/kubernetes/manifests/secrets.ts'
import { replicaNumber } from '../../k8s-manager/src/kubernetes/pod-layout.ts'
import type { KubernetesSettings } from '../../k8s-manager/src/kubernetes/settings.ts'
import { targetConformance } from '../../k8s-manager/src/target-conformance.ts'
import { apply, ready } from '../../k8s-manager/src/testing/apply.ts'
import { kubernetesSettings } from '../../k8s-manager/src/testing/kubernetes-settings.ts'
import { entrypointWorkload, nodeWorkload } from '../../k8s-manager/src/testing/workloads.ts'
import { brokenStatus, type FakeNodes, type Pod, startFakeNodes } from './support/fake-nodes.ts'
import { findGatewayApi, installGatewayApi } from './support/gateway-api.ts'
import {
  ask,
  hasCluster,
  make,
  makeNamespace,
  openAsAdmin,
  type TestNamespace,
} from './support/test-cluster.ts'

jest.setTimeout(120_000)

const signal = new AbortController().signal
const LONG = { timeoutMs: 60_000 }

if (!hasCluster) describe.skip('the Kubernetes target', () => test('is not tried', () => undefined))
else {
  let admin: Cluster
  let nodes: FakeNodes
  beforeAll(async () => {
    admin = openAsAdmin()
    nodes = await startFakeNodes(admin)
  })
  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]()
    admin?.[Symbol.dispose]()
  })
  targetConformance('Kubernetes', async () => {
    const started = await startTarget(admin)
    return {
      target: started.target,
      killReplica: async (_workload, number) => started.kill(number),
      [Symbol.asyncDispose]: async () => started[Symbol.asyncDispose](),
    }
  })
  describe('the Kubernetes target', () =>
    kubernetesTarget({ admin: () => admin, nodes: () => nodes }))
}

function kubernetesTarget(of: { admin: () => Cluster; nodes: () => FakeNodes }): void {
  const firstReason = (observed: readonly WorkloadObservation[]) =>
    observed[0]?.replicas.find(({ reason }) => reason !== '')?.reason

  test('leaves nothing of a version behind, and objects of others alone', async () => {
    await using started = await startTarget(of.admin())
    const { target, namespace } = started
    const foreign = `/api/v1/namespaces/${namespace.name}/configmaps/somebody-elses`
    await make(of.admin(), foreign, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'somebody-elses', labels: { 'app.kubernetes.io/managed-by': 'kre' } },
    })
    const workloads = [nodeWorkload('etl'), entrypointWorkload(), entrypointWorkload(null)]
    await apply(target, { apply: workloads, remove: [] })
    await ready(target, 3)
    expect(await countOwn(namespace)).toBeGreaterThan(15)
    await apply(target, { apply: [], remove: workloads.map(({ id }) => id) })
    await waitUntil('nothing is left', async () => (await countOwn(namespace)) === 0, LONG)
    expect(await namespace.names('/api/v1/namespaces/NS/configmaps')).toContain('somebody-elses')
  })

  test('takes over what another engine has left, and ends what that one had begun to', async () => {
    await using started = await startTarget(of.admin())
    const workloads = [nodeWorkload('etl'), nodeWorkload('model'), entrypointWorkload()]
    await apply(started.target, { apply: workloads, remove: [] })
    const before = await ready(started.target, 3)
    const [entrypoint] = before.filter(({ role }) => role === 'entrypoint')
    await apply(started.target, { apply: [], remove: [entrypoint?.id ?? ''] })
    await using next = await started.another()
    await waitUntil('the entrypoint is gone', async () => {
      const observed = await next.target.fetch(signal)
      return observed.length === 2 && observed.every(({ role }) => role === 'node')
    })
    expect(await ready(next.target, 2)).toEqual(before.filter(({ role }) => role === 'node'))
  })

  test('keeps the Secret of a spec as long as a pod may use it, and no longer', async () => {
    await using started = await startTarget(of.admin())
    const { target, namespace } = started
    const configs = async () =>
      (await namespace.names('/api/v1/namespaces/NS/secrets')).filter(
        (name) => !name.endsWith('-access'),
      )
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await ready(target, 1)
    const before = await configs()
    await apply(target, { apply: [nodeWorkload('etl', { revision: 2 })], remove: [] })
    await waitUntil('the first one is gone', async () => {
      const now = await configs()
      return now.length === 1 && now[0] !== before[0]
    })
  })

  test('says that no machine takes a pod', async () => {
    await using started = await startTarget(of.admin())
    const { target } = started
    const resources = { cpuMillis: null, gpu: { count: 16, class: null } }
    await apply(target, { apply: [nodeWorkload('etl', { resources })], remove: [] })
    await waitUntil('the reason', async () =>
      /^Unschedulable: .*nvidia\.com\/gpu/.test(firstReason(await target.fetch(signal)) ?? ''),
    )
  })

  test('says that an image is not there, that a process ends, and that it needs more memory', async () => {
    await using started = await startTarget(of.admin())
    const { target, namespace } = started
    const back = { reason: 'CrashLoopBackOff', message: 'back-off 10s' }
    const states: Record<string, { state: object; lastState?: object }> = {
      image: { state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } },
      crash: {
        state: { waiting: back },
        lastState: { terminated: { exitCode: 1, reason: 'Error', message: 'Error: no model' } },
      },
      memory: {
        state: { waiting: back },
        lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
      },
    }
    of.nodes().behave(namespace.name, (pod) => {
      const state = states[pod.metadata?.labels?.['node-id'] ?? '']
      return state === undefined ? null : brokenStatus(pod, state)
    })
    await apply(target, {
      apply: Object.keys(states).map((node) => nodeWorkload(node)),
      remove: [],
    })
    const reasons = await waitUntil('all reasons', async () => {
      const observed = await target.fetch(signal)
      const found = observed.map(({ node, replicas }) => [node, replicas[0]?.reason ?? ''])
      return found.every(([, reason]) => reason !== '') && found.length === 3
        ? (Object.fromEntries(found) as Record<string, string>)
        : null
    })
    expect(reasons['image']).toMatch(/^ImagePullBackOff: .*not found/)
    expect(reasons['crash']).toBe('CrashLoopBackOff: exited with code 1: Error: no model')
    expect(reasons['memory']).toMatch(/^OOMKilled: /)
  })

  test('says that a quota is full', async () => {
    await using started = await startTarget(of.admin())
    const { target, namespace } = started
    const path = `/api/v1/namespaces/${namespace.name}/resourcequotas/pods`
    const quota = (await make(of.admin(), path, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'pods' },
      spec: { hard: { pods: '0' } },
    })) as object
    expect(quota).toHaveProperty('spec')
    await waitUntil('the quota counts', async () => {
      const { status } = (await ask(of.admin(), 'GET', path)) as { status?: { hard?: object } }
      return status?.hard !== undefined
    })
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await waitUntil('the reason', async () =>
      firstReason(await target.fetch(signal))?.startsWith('QuotaExceeded: quota "pods"'),
    )
  })

  test('names the rule that its Role lacks, and goes on when it has it', async () => {
    await using started = await startTarget(of.admin())
    const { target, namespace } = started
    await namespace.forbid('deployments', ['create'])
    const plan = { apply: [nodeWorkload('etl')], remove: [] }
    const [stage] = await waitUntil('a refusal', async () => {
      const stages = await apply(target, plan)
      return stages[0]?.status === 'error' ? stages : null
    })
    expect(stage?.message).toContain(
      '{apiGroups: ["apps"], resources: ["deployments"], verbs: ["create"]}',
    )
    expect(firstReason(await target.fetch(signal))).toBe(stage?.message)
    await namespace.forbid('deployments', [])
    await waitUntil('it is taken', async () => (await apply(target, plan))[0]?.status !== 'error')
    await ready(target, 1)
  })

  test('does not take over a Deployment that somebody else has made', async () => {
    await using started = await startTarget(of.admin())
    const { target, namespace } = started
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await ready(target, 1)
    const [name] = await namespace.names('/apis/apps/v1/namespaces/NS/deployments')
    await apply(target, { apply: [], remove: [nodeWorkload('etl').id] })
    await waitUntil('it is gone', async () => (await target.fetch(signal)).length === 0)
    await make(of.admin(), `/apis/apps/v1/namespaces/${namespace.name}/deployments/${name}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: 0,
        selector: { matchLabels: { theirs: 'yes' } },
        template: {
          metadata: { labels: { theirs: 'yes' } },
          spec: { containers: [{ name: 'c', image: 'none' }] },
        },
      },
    })
    const [stage] = await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    expect(stage).toMatchObject({ status: 'error' })
    expect(stage?.message).toContain("is somebody else's")
  })

  test('brings back what somebody has changed or removed by hand, and writes it down', async () => {
    await using started = await startTarget(of.admin())
    const { target, namespace } = started
    const workloads = [nodeWorkload('etl'), entrypointWorkload()]
    await apply(target, { apply: workloads, remove: [] })
    await ready(target, 2)
    const apps = `/apis/apps/v1/namespaces/${namespace.name}/deployments`
    const [etl] = (await namespace.names('/apis/apps/v1/namespaces/NS/deployments')).filter(
      (name) => name.includes('etl'),
    )
    const before = await specOf(of.admin(), `${apps}/${etl}`)
    const changes = [
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'theirs:latest' },
      { op: 'remove', path: '/spec/template/spec/containers/0/readinessProbe' },
      { op: 'replace', path: '/spec/replicas', value: 3 },
    ]
    const byHand = `${apps}/${etl}?fieldManager=kubectl-edit`
    await ask(of.admin(), 'PATCH', byHand, changes, 'application/json-patch+json')
    await waitUntil('the Deployment is as it was', async () =>
      isDeepStrictEqual(await specOf(of.admin(), `${apps}/${etl}`), before),
    )
    const [event] = await driftsIn(of.admin(), namespace)
    expect(event).toMatchObject({ involvedObject: { kind: 'Deployment', name: etl } })
    expect(event?.message).toMatch(/spec\.replicas, .*containers\[0\]\.image/)
    for (const api of [
      '/api/v1/namespaces/NS/services',
      '/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies',
    ]) {
      const names = await namespace.names(api)
      const one = `${api.replace('NS', namespace.name)}/${names[0]}`
      await ask(of.admin(), 'DELETE', one)
      await waitUntil('it is there again', async () =>
        isDeepStrictEqual(await namespace.names(api), names),
      )
    }
    await ready(target, 2)
  })

  test('takes nothing for changed that nobody has changed, and routes to what is published', async () => {
    await using started = await startTarget(of.admin(), {
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
    expect(await driftsIn(of.admin(), namespace)).toEqual([])
    const ingresses = '/apis/networking.k8s.io/v1/namespaces/NS/ingresses'
    const [ingress] = await namespace.names(ingresses)
    expect(
      await specOf(of.admin(), `${ingresses.replace('NS', namespace.name)}/${ingress}`),
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
    expect(await specOf(of.admin(), `${services}/${published}`)).toMatchObject({ type: 'NodePort' })
  })

  test.each(['HTTPRoute', 'GRPCRoute'] as const)(
    'routes by %s of the Gateway API, and says so where the cluster does not have it',
    async (kind) => {
      const definitions = await findGatewayApi()
      if (definitions === null) return
      await using started = await startTarget(of.admin(), {
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
      await using _installed = await installGatewayApi(of.admin(), definitions)
      await waitUntil('it is taken', async () => (await apply(target, plan))[0]?.status !== 'error')
      await ready(target, 1)
      const routes = `/apis/gateway.networking.k8s.io/v1/namespaces/NS/${kind.toLowerCase()}s`
      const [route] = await namespace.names(routes)
      expect(
        await specOf(of.admin(), `${routes.replace('NS', namespace.name)}/${route}`),
      ).toMatchObject({
        hostnames: ['shop.example.com'],
        rules: [{ backendRefs: [{ name: route, port: 9_000 }] }],
      })
      await apply(target, { apply: [], remove: [entrypointWorkload(null).id] })
      await waitUntil('it is gone', async () => (await namespace.names(routes)).length === 0)
    },
  )

  test('leaves Secrets and accounts of others alone that it may not read', async () => {
    await using started = await startTarget(of.admin())
    const { target, namespace } = started
    const home = `/api/v1/namespaces/${namespace.name}`
    const node = nodeWorkload('etl')
    const theirs: [string, string][] = [
      ['Secret', `${home}/secrets/${accessSecretName(node)}`],
      ['ServiceAccount', `${home}/serviceaccounts/${groupName(node)}`],
    ]
    for (const [kind, path] of theirs) {
      const name = path.split('/').at(-1)
      await make(of.admin(), path, { apiVersion: 'v1', kind, metadata: { name } })
      const before = await ask(of.admin(), 'GET', path)
      const [stage] = await apply(target, { apply: [node], remove: [] })
      expect(stage?.message).toContain(`${kind} "${name}" in namespace`)
      expect(await ask(of.admin(), 'GET', path)).toEqual(before)
      await ask(of.admin(), 'DELETE', path)
    }
    await waitUntil(
      'its names are free',
      async () => (await apply(target, { apply: [node], remove: [] }))[0]?.status !== 'error',
    )
    await ready(target, 1)
  })
}

type Changes = Parameters<typeof kubernetesSettings>[0]

type StartedTarget = AsyncDisposable & {
  target: Target
  namespace: TestNamespace
  /** The next engine, after the first one has let go. */
  another(changes?: Changes): Promise<AsyncDisposable & { target: Target }>
  kill(replica: number): Promise<void>
}

async function startTarget(admin: Cluster, settings: Changes = {}): Promise<StartedTarget> {
  const namespace = await makeNamespace(admin, settings.publish?.mode)
  const open = async (changes: Changes) => {
    const cluster = await namespace.openAsEngine()
    const target = createKubernetesTarget({
      cluster,
      settings: settingsFor(namespace.name, changes),
      logger: createLogger('test', { level: 'silent' }),
      runnerAccess: () => ({ servers: ['nats://nats:4222'], user: 'u', password: 'p' }),
      provideBundle: async () => undefined,
    })
    return {
      target,
      async [Symbol.asyncDispose]() {
        await target[Symbol.asyncDispose]()
        cluster[Symbol.dispose]()
      },
    }
  }
  const first = await open(settings)
  return {
    namespace,
    target: first.target,
    async another(changes = settings) {
      await first[Symbol.asyncDispose]()
      return open(changes)
    },
    async kill(replica) {
      const path = `/api/v1/namespaces/${namespace.name}/pods`
      const { items } = (await ask(admin, 'GET', path)) as { items: Pod[] }
      const pod = items.find(({ metadata }) => replicaNumber(metadata?.uid ?? '') === replica)
      if (pod === undefined) throw new Error(`no pod is replica ${replica}`)
      const options = { gracePeriodSeconds: 0 }
      await ask(admin, 'DELETE', `${path}/${pod.metadata?.name}`, options, 'application/json')
    },
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]()
      await namespace[Symbol.asyncDispose]()
    },
  }
}

function settingsFor(namespace: string, changes: Changes): KubernetesSettings {
  return kubernetesSettings({ namespace, drainMs: 1_000, lameDuckMs: 0, ...changes })
}

async function specOf(admin: Cluster, path: string): Promise<object> {
  return ((await ask(admin, 'GET', path)) as { spec: object }).spec
}

/** Events of what was changed by hand. */
async function driftsIn(
  admin: Cluster,
  { name }: TestNamespace,
): Promise<{ message: string; involvedObject: object }[]> {
  const { items } = (await ask(admin, 'GET', `/api/v1/namespaces/${name}/events`)) as {
    items: { reason: string; message: string; involvedObject: object }[]
  }
  return items.filter(({ reason }) => reason === 'DriftRepaired')
}

/** Objects that the engine has made, of all kinds. */
async function countOwn(namespace: TestNamespace): Promise<number> {
  const apis = [
    ...['configmaps', 'secrets', 'services', 'serviceaccounts', 'pods'].map(
      (plural) => `/api/v1/namespaces/NS/${plural}`,
    ),
    '/apis/apps/v1/namespaces/NS/deployments',
    '/apis/apps/v1/namespaces/NS/replicasets',
    '/apis/policy/v1/namespaces/NS/poddisruptionbudgets',
    '/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies',
  ]
  const selector = '?labelSelector=kre.dev%2Finstallation%3Dkre'
  const all = await Promise.all(apis.map(async (api) => namespace.names(`${api}${selector}`)))
  return all.flat().length
}
