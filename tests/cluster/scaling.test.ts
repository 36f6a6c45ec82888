/** What follows its load, on a real control plane: replicas are written, pods are not rolled, and sleep is kept. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { objectName } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { apply, ready } from '../../k8s-manager/src/testing/apply.ts'
import { entrypointWorkload, nodeWorkload } from '../../k8s-manager/src/testing/workloads.ts'
import { connectForeign } from '../support/grpc-client.ts'
import { createKre, type Kre } from '../support/kre.ts'
import { type EnginePlace, makeEnginePlace } from './support/engine-place.ts'
import { type FakeNodes, type Pod, startFakeNodes } from './support/fake-nodes.ts'
import { runPod, type RunningPod } from './support/run-pod.ts'
import { driftsIn, startTarget, type StartedTarget } from './support/start-target.ts'
import { ask, hasCluster, openAsAdmin } from './support/test-cluster.ts'
import { useCluster } from './support/use-cluster.ts'

jest.setTimeout(180_000)

const signal = new AbortController().signal
const LONG = { timeoutMs: 90_000 }
/** Above those that systems give away by themselves. */
const PORT = 62_000 + (process.pid % 1_000)
/** Of the version below. */
const NODES = 'mine-hello-v1-greet-'
const NAME = objectName(nodeWorkload('etl').id)

if (!hasCluster) describe.skip('scaling on Kubernetes', () => test('is not tried', () => undefined))
else {
  describe('scaling on Kubernetes', scaling)
  describe('a version that may sleep on Kubernetes', sleeping)
}

function scaling(): void {
  const cluster = useCluster()

  const listOf = async <T>({ namespace }: StartedTarget, api: string): Promise<T[]> => {
    const path = api.replace('NS', namespace.name)
    return ((await ask(cluster.admin, 'GET', path)) as { items: T[] }).items
  }
  const podsOf = async (started: StartedTarget): Promise<string[]> => {
    const pods = await listOf<Pod>(started, '/api/v1/namespaces/NS/pods')
    return pods
      .filter(({ metadata }) => metadata?.name?.startsWith(NAME) === true)
      .map(({ metadata }) => metadata?.uid ?? '')
  }
  const untilPods = (started: StartedTarget, count: number) =>
    waitUntil(
      `${count} pods`,
      async () => {
        const pods = await podsOf(started)
        return pods.length === count ? pods : null
      },
      LONG,
    )
  const scale = (started: StartedTarget, replicas: number) =>
    apply(started.target, { apply: [nodeWorkload('etl', { replicas })], remove: [] })
  const templates = async (started: StartedTarget) =>
    (await started.namespace.names('/apis/apps/v1/namespaces/NS/replicasets')).filter((name) =>
      name.startsWith(NAME),
    )

  test('writes a number, and rolls no pod', async () => {
    await using started = await startTarget(cluster.admin)
    await apply(started.target, { apply: [nodeWorkload('etl'), entrypointWorkload()], remove: [] })
    await ready(started.target, 2)
    const [first = ''] = await podsOf(started)
    const before = await templates(started)
    await scale(started, 3)
    expect(await untilPods(started, 3)).toContain(first)
    await scale(started, 0)
    await untilPods(started, 0)
    await scale(started, 1)
    await untilPods(started, 1)
    expect(await templates(started)).toEqual(before)
  })

  test('lets machines be emptied, whatever it was scaled to', async () => {
    await using started = await startTarget(cluster.admin)
    await scale(started, 3)
    await untilPods(started, 3)
    await scale(started, 1)
    await untilPods(started, 1)
    type Budget = { spec: { maxUnavailable: number }; status?: { disruptionsAllowed: number } }
    await waitUntil(
      'the one that is left may go',
      async () => {
        const [budget] = await listOf<Budget>(
          started,
          '/apis/policy/v1/namespaces/NS/poddisruptionbudgets',
        )
        return budget?.spec.maxUnavailable === 1 && budget.status?.disruptionsAllowed === 1
      },
      LONG,
    )
  })

  test('keeps asleep what sleeps when the next engine comes, and when somebody scales by hand', async () => {
    await using started = await startTarget(cluster.admin)
    await scale(started, 1)
    await untilPods(started, 1)
    await scale(started, 0)
    await untilPods(started, 0)
    await using next = await started.another()
    expect(await next.target.fetch(signal)).toMatchObject([
      { scale: 0, replicasWanted: 0, replicas: [] },
    ])
    const path = `/apis/apps/v1/namespaces/${started.namespace.name}/deployments/${NAME}/scale`
    await ask(
      cluster.admin,
      'PATCH',
      path,
      { spec: { replicas: 2 } },
      'application/merge-patch+json',
    )
    await waitUntil(
      'it is repaired',
      async () => (await driftsIn(cluster.admin, started.namespace)).length > 0,
      LONG,
    )
    await untilPods(started, 0)
    expect(await next.target.fetch(signal)).toMatchObject([{ scale: 0, replicasWanted: 0 }])
  })
}

function sleeping(): void {
  let admin: Cluster
  let nodes: FakeNodes
  let place: EnginePlace
  let kre: Kre
  /** By the pod's uid. */
  const running = new Map<string, RunningPod>()

  beforeAll(async () => {
    admin = openAsAdmin()
    nodes = await startFakeNodes(admin)
    place = await makeEnginePlace(admin)
    kre = await createKre(place.environment)
  })
  afterAll(async () => {
    await Promise.all([...running.values()].map(async (pod) => pod[Symbol.asyncDispose]()))
    await kre?.[Symbol.asyncDispose]()
    await place?.[Symbol.asyncDispose]()
    await nodes?.[Symbol.asyncDispose]()
    admin?.[Symbol.dispose]()
  })

  const podsOf = async (prefix: string): Promise<Pod[]> => {
    const path = `/api/v1/namespaces/${place.namespace.name}/pods`
    const { items } = (await ask(admin, 'GET', path)) as { items: Pod[] }
    return items.filter(
      ({ metadata }) =>
        metadata?.name?.startsWith(prefix) === true && metadata.deletionTimestamp === undefined,
    )
  }
  /** Starts pods as a kubelet would, once there are so many. */
  const runPods = async (prefix: string, count: number): Promise<RunningPod[]> => {
    const pods = await waitUntil(
      `${count} pods ${prefix}`,
      async () => {
        const found = await podsOf(prefix)
        return found.length === count ? found : null
      },
      LONG,
    )
    return Promise.all(
      pods.map(async (pod) => {
        const started = await runPod(admin, pod, PORT + running.size)
        running.set(pod.metadata?.uid ?? '', started)
        return started
      }),
    )
  }

  test('loses its pods when nobody asks, and answers the first call when they are back', async () => {
    await kre.json('dev', '--detach', '--no-example')
    const bundle = join(place.home, 'hello')
    await kre.json('krt', 'init', bundle, '--template', 'typescript')
    const manifest = join(bundle, 'kre.yaml')
    const sleepy = 'autoscaling: { min: 0, max: 2, idleMs: 3000 }\n        subscriptions:'
    const written = (await readFile(manifest, 'utf8')).replaceAll('subscriptions:', sleepy)
    await writeFile(manifest, written)
    await kre.json('runtime', 'create', 'mine')
    await kre.json('version', 'create', '-r', 'mine', bundle)
    await kre.json('version', 'start', '-r', 'mine', 'hello-v1')
    const nodesOfVersion = await runPods(NODES, 2)
    const [entrypoint] = await runPods('mine-hello-v1-entrypoint', 1)
    const port = entrypoint?.launch.listen?.port ?? 0

    await waitUntil('no pod of a node', async () => (await podsOf(NODES)).length === 0, LONG)
    const { status, statusReason } = await kre.json<{ status: string; statusReason: string }>(
      'version',
      'show',
      '-r',
      'mine',
      'hello-v1',
    )
    expect(status).toBe('STARTED')
    expect(statusReason).toBe('scaled to zero: nodes "clean", "greet" start with the next request')
    for (const [uid, pod] of running) {
      if (!nodesOfVersion.includes(pod)) continue
      running.delete(uid)
      await pod[Symbol.asyncDispose]()
    }

    using client = await connectForeign(`127.0.0.1:${port}`, 'hello.Entrypoint', 'Greet')
    const answer = client.call({ name: 'Ada' })
    await runPods(NODES, 2)
    expect(await answer).toEqual({ greeting: 'Hello, Ada!' })
  })
}
