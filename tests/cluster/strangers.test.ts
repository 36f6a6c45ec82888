/** Clusters of others: with limits and quotas, with programs that change what is written, and with people who use kubectl. */
import { describe, expect, jest, test } from '@jest/globals'
import { objectName, type NodeSpec, workloadId, type Workload } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { apply, ready } from '../../k8s-manager/src/testing/apply.ts'
import { entrypointWorkload, nodeWorkload } from '../../k8s-manager/src/testing/workloads.ts'
import { isOwnCluster } from './support/cluster-processes.ts'
import { brokenStatus, type Pod } from './support/fake-nodes.ts'
import { ALL, node, reasonsOf, takes } from './support/life.ts'
import { mutateObjects } from './support/sidecar-injector.ts'
import { countOwn, driftsIn, startTarget } from './support/start-target.ts'
import { ask, hasCluster, make, type TestNamespace } from './support/test-cluster.ts'
import { useCluster } from './support/use-cluster.ts'

jest.setTimeout(300_000)

const signal = new AbortController().signal
const LONG = { timeoutMs: 90_000 }
const MERGE = 'application/merge-patch+json'
const ETL = objectName(node.id)
if (!hasCluster) describe.skip('a cluster of others', () => test('is not tried', () => undefined))
else describe('a cluster of others', clusterOfOthers)

type Deployment = {
  metadata: { generation: number; managedFields: object[] }
  spec: {
    replicas: number
    template: {
      metadata: { annotations: Record<string, string> }
      spec: { containers: { image: string }[]; initContainers: { image: string }[] }
    }
  }
}

function clusterOfOthers(): void {
  const cluster = useCluster()
  const pathOf = ({ name }: TestNamespace) => `/apis/apps/v1/namespaces/${name}/deployments/${ETL}`
  const etlIn = async (namespace: TestNamespace) =>
    (await ask(cluster.admin, 'GET', pathOf(namespace))) as Deployment
  const podsIn = async ({ name }: TestNamespace) =>
    ((await ask(cluster.admin, 'GET', `/api/v1/namespaces/${name}/pods`)) as { items: Pod[] }).items

  test('kubectl scale and kubectl set image are taken back, and kubectl rollout restart is not', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    await apply(target, ALL)
    await ready(target, 4)
    const before = await etlIn(namespace)
    const path = pathOf(namespace)
    await ask(
      cluster.admin,
      'PATCH',
      `${path}/scale?fieldManager=kubectl`,
      { spec: { replicas: 7 } },
      MERGE,
    )
    await waitUntil(
      'it has as many as before',
      async () => (await etlIn(namespace)).spec.replicas === 2,
    )
    const images = [
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'theirs:1' },
      { op: 'replace', path: '/spec/template/spec/initContainers/0/image', value: 'theirs:1' },
    ]
    await ask(
      cluster.admin,
      'PATCH',
      `${path}?fieldManager=kubectl-set`,
      images,
      'application/json-patch+json',
    )
    await waitUntil(
      'it has its images',
      async () => {
        const { spec } = (await etlIn(namespace)).spec.template
        return [...spec.containers, ...spec.initContainers].every(
          ({ image }) => image === before.spec.template.spec.containers[0]?.image,
        )
      },
      LONG,
    )
    expect((await driftsIn(cluster.admin, namespace)).length).toBeGreaterThanOrEqual(2)
    await ready(target, 4)
    const numbers = new Set((await podsIn(namespace)).map(({ metadata }) => metadata?.uid))
    const restartedAt = { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' }
    const restart = { spec: { template: { metadata: { annotations: restartedAt } } } }
    await ask(cluster.admin, 'PATCH', `${path}?fieldManager=kubectl-rollout`, restart, MERGE)
    await waitUntil(
      'both pods are new',
      async () => {
        const pods = (await podsIn(namespace)).filter(
          ({ metadata }) => metadata?.labels?.['type'] === 'node',
        )
        return pods.length === 2 && pods.every(({ metadata }) => !numbers.has(metadata?.uid))
      },
      LONG,
    )
    await apply(target, ALL)
    expect((await etlIn(namespace)).spec.template.metadata.annotations).toMatchObject(restartedAt)
    await ready(target, 4)
  })

  test('a quota that wants limits of processors is named, and met by a setting', async () => {
    const quota = { 'limits.cpu': '20', 'requests.cpu': '20', 'limits.memory': '64Gi', pods: '20' }
    const before = async ({ name }: TestNamespace) => limit(name, quota)
    await using started = await startTarget(cluster.admin, {}, { before })
    await apply(started.target, ALL)
    await waitUntil('the reason', async () =>
      reasonsOf(await started.target.fetch(signal)).some((reason) =>
        reason.startsWith('QuotaExceeded: quota "team" lets in only pods that say limits.cpu'),
      ),
    )
    await using next = await started.another({ resources: { cpuLimitMillis: 500 } })
    await ready(next.target, 4)
  })

  test('a LimitRange that fills in what pods do not say takes nothing from what they say', async () => {
    const before = async ({ name }: TestNamespace) => {
      await limit(name, { 'limits.cpu': '20', pods: '20' })
      await make(cluster.admin, `/api/v1/namespaces/${name}/limitranges/team`, {
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata: { name: 'team' },
        spec: { limits: [{ type: 'Container', default: { cpu: '750m', memory: '1Gi' } }] },
      })
    }
    await using started = await startTarget(cluster.admin, {}, { before })
    await apply(started.target, ALL)
    await ready(started.target, 4)
    const [pod] = await podsIn(started.namespace)
    expect(pod?.spec?.containers[0]?.resources?.limits).toMatchObject({
      cpu: '750m',
      memory: '512Mi',
    })
    expect(await driftsIn(cluster.admin, started.namespace)).toEqual([])
  })

  test('containers that are put before ours do not hide what becomes of it, and are named themselves', async () => {
    if (!isOwnCluster) return
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    const securityContext = {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    }
    const mesh = { name: 'mesh', image: 'mesh:1', securityContext }
    const patch = [{ op: 'add', path: '/spec/containers/0', value: mesh }]
    await using _mesh = await mutateObjects(cluster.admin, namespace.name, {
      resource: 'pods',
      patch,
    })
    cluster.nodes.behave(namespace.name, (pod) => meshIsBroken(pod))
    await apply(target, { apply: [node], remove: [] })
    await waitUntil('the reason', async () =>
      reasonsOf(await target.fetch(signal)).some((reason) =>
        /^the container "mesh", which the cluster has put into the pod, .*no sidecar today/.test(
          reason,
        ),
      ),
    )
    cluster.nodes.behave(namespace.name, () => null)
    await ask(cluster.admin, 'DELETE', `/api/v1/namespaces/${namespace.name}/pods`)
    await ready(target, 2)
    expect(await driftsIn(cluster.admin, namespace)).toEqual([])
  })

  test('a policy that changes our Deployments is left its way, and nobody writes again and again', async () => {
    if (!isOwnCluster) return
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    const patch = [
      {
        op: 'replace',
        path: '/spec/template/spec/containers/0/image',
        value: 'mirror.example/r@sha256:' + 'a'.repeat(64),
      },
      { op: 'add', path: '/spec/template/spec/priorityClassName', value: '' },
    ]
    await using _policy = await mutateObjects(cluster.admin, namespace.name, {
      resource: 'deployments',
      patch,
    })
    await apply(target, ALL)
    await ready(target, 4)
    const { metadata, spec } = await etlIn(namespace)
    expect(spec.template.spec.containers[0]?.image).toMatch(/^mirror\.example/)
    await apply(target, ALL)
    await ready(target, 4)
    expect(await driftsIn(cluster.admin, namespace)).toEqual([])
    expect((await etlIn(namespace)).metadata.generation).toBe(metadata.generation)
  })

  test('takes the longest names, and versions of two runtimes that are called the same', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    const all = ['r'.repeat(15), `${'r'.repeat(14)}s`].flatMap((runtimeId) => longNamed(runtimeId))
    await apply(target, { apply: all, remove: [] })
    const observed = await ready(target, all.length)
    expect(observed.map(({ id }) => id).toSorted()).toEqual(all.map(({ id }) => id).toSorted())
    const [first, second] = [all.slice(0, 3), all.slice(3)].map((some) => some.map(({ id }) => id))
    await apply(target, { apply: [], remove: first ?? [] })
    await waitUntil('the first runtime is gone', async () => {
      const left = (await target.fetch(signal)).map(({ id }) => id).toSorted()
      return left.join() === second?.toSorted().join()
    })
    await ready(target, 3)
    await takes(target, { apply: [], remove: second ?? [] })
    await waitUntil('nothing is left', async () => (await countOwn(namespace)) === 0, LONG)
  })

  async function limit(name: string, hard: Record<string, string>): Promise<void> {
    const path = `/api/v1/namespaces/${name}/resourcequotas/team`
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'team' },
      spec: { hard },
    }
    await make(cluster.admin, path, quota)
    await waitUntil('the quota counts', async () => {
      const { status } = (await ask(cluster.admin, 'GET', path)) as { status?: { hard?: object } }
      return status?.hard !== undefined
    })
  }
}

/** A version's node and entrypoint, and the published entrypoint of its runtime. */
function longNamed(runtimeId: string): Workload[] {
  const version = 'v'.repeat(20)
  const [workflow, name] = ['w'.repeat(63), 'n'.repeat(63)]
  const node = nodeWorkload(name)
  const of = { runtimeId, version }
  const spec = { ...(node.spec as NodeSpec), ...of, workflow, workflowName: workflow }
  const entrypoint = entrypointWorkload(version)
  const published = entrypointWorkload(null)
  return [
    { ...node, ...of, id: workloadId(of, { workflow, node: name }), spec },
    { ...entrypoint, ...of, id: workloadId(of), spec: { ...entrypoint.spec, ...of } as never },
    {
      ...published,
      runtimeId,
      id: workloadId({ runtimeId, version: null }),
      spec: { ...published.spec, runtimeId } as never,
    },
  ]
}

function meshIsBroken(pod: Pod): object {
  const waiting = { reason: 'ImagePullBackOff', message: 'no sidecar today' }
  const status = brokenStatus(pod, { state: { waiting } }) as { containerStatuses: object[] }
  const [mesh = {}, ...own] = status.containerStatuses
  const running = { ready: true, started: true, state: { running: {} } }
  return { ...status, containerStatuses: [mesh, ...own.map((one) => ({ ...one, ...running }))] }
}
