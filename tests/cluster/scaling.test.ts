/** What follows its load, on a real control plane: replicas are written, pods are not rolled, and sleep is kept. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { objectName } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { apply, ready } from '../../k8s-manager/src/testing/apply.ts'
import { entrypointWorkload, nodeWorkload } from '../../k8s-manager/src/testing/workloads.ts'
import { type FakeNodes, type Pod, startFakeNodes } from './support/fake-nodes.ts'
import { driftsIn, startTarget, type StartedTarget } from './support/start-target.ts'
import { ask, hasCluster, openAsAdmin } from './support/test-cluster.ts'

jest.setTimeout(120_000)

const signal = new AbortController().signal
const LONG = { timeoutMs: 60_000 }
const NAME = objectName(nodeWorkload('etl').id)

if (!hasCluster) describe.skip('scaling on Kubernetes', () => test('is not tried', () => undefined))
else describe('scaling on Kubernetes', scaling)

function scaling(): void {
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

  const listOf = async <T>({ namespace }: StartedTarget, api: string): Promise<T[]> => {
    const path = api.replace('NS', namespace.name)
    return ((await ask(admin, 'GET', path)) as { items: T[] }).items
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
    await using started = await startTarget(admin)
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
    await using started = await startTarget(admin)
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
    await using started = await startTarget(admin)
    await scale(started, 1)
    await untilPods(started, 1)
    await scale(started, 0)
    await untilPods(started, 0)
    await using next = await started.another()
    expect(await next.target.fetch(signal)).toMatchObject([
      { scale: 0, replicasWanted: 0, replicas: [] },
    ])
    const path = `/apis/apps/v1/namespaces/${started.namespace.name}/deployments/${NAME}/scale`
    await ask(admin, 'PATCH', path, { spec: { replicas: 2 } }, 'application/merge-patch+json')
    await waitUntil(
      'it is repaired',
      async () => (await driftsIn(admin, started.namespace)).length > 0,
      LONG,
    )
    await untilPods(started, 0)
    expect(await next.target.fetch(signal)).toMatchObject([{ scale: 0, replicasWanted: 0 }])
  })
}
