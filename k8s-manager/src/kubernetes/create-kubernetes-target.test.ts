/** On a cluster in memory; tests/cluster asks a real one the same, and what only that can answer. */
import { describe, expect, jest, test } from '@jest/globals'
import { createLogger, waitUntil } from '@kre/service-kit'
import { targetConformance } from '../target-conformance.ts'
import { apply, ready } from '../testing/apply.ts'
import { createFakeCluster, type FakeCluster } from '../testing/fake-cluster.ts'
import { kubernetesSettings } from '../testing/kubernetes-settings.ts'
import { entrypointWorkload, nodeWorkload } from '../testing/workloads.ts'
import { createKubernetesTarget } from './create-kubernetes-target.ts'
import { replicaNumber } from './pod-layout.ts'

const signal = new AbortController().signal

function openTarget(cluster: FakeCluster, expiresInMs = Infinity) {
  return createKubernetesTarget({
    cluster,
    settings: kubernetesSettings(),
    logger: createLogger('test', { level: 'silent' }),
    runnerAccess: () => ({
      servers: ['nats://nats:4222'],
      user: '',
      password: '',
      credentials: {
        jwt: 'jwt',
        seed: 'seed',
        expiresUnixMs: expiresInMs === Infinity ? null : Date.now() + expiresInMs,
      },
    }),
    provideBundle: async () => undefined,
  })
}

targetConformance('Kubernetes, in memory,', async () => {
  const cluster = createFakeCluster()
  const target = openTarget(cluster)
  return {
    target,
    async killReplica(_workload, number) {
      const path = '/api/v1/namespaces/runners/pods'
      const { body } = await cluster.request({ method: 'GET', path, signal })
      const { items } = JSON.parse(body) as { items: { metadata: { uid: string } }[] }
      for (const { metadata } of items)
        if (replicaNumber(metadata.uid) === number) cluster.kill(metadata.uid)
    },
    [Symbol.asyncDispose]: async () => target[Symbol.asyncDispose](),
  }
})

describe('the Kubernetes target', () => {
  test('leaves nothing of a look with the signal that lives as long as the engine', async () => {
    using cluster = createFakeCluster()
    await using target = openTarget(cluster)
    await target.fetch(signal)
    // What is made of two signals stays with both of them, as long as somebody listens to it.
    const made = jest.spyOn(AbortSignal, 'any')
    try {
      for (let n = 0; n < 3; n++) await target.fetch(signal)
      expect(made).not.toHaveBeenCalled()
    } finally {
      made.mockRestore()
    }
  })

  test('knows nothing, and says why, while the cluster does not let it look', async () => {
    using cluster = createFakeCluster()
    const refusal = {
      status: 403,
      body: '{"message":"User \\"u\\" cannot list resource \\"pods\\""}',
    }
    cluster.refuse('GET', '/api/v1/namespaces/runners/pods', refusal)
    await using target = openTarget(cluster)
    const why = /add the rule \{apiGroups: \[""\], resources: \["pods"\], verbs: \["list"\]\}/
    await expect(target.fetch(signal)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(why),
    })
    await expect(apply(target, { apply: [nodeWorkload('etl')], remove: [] })).rejects.toThrow(why)
    expect(cluster.names()).toEqual([])
    cluster.refuse('GET', '/api/v1/namespaces/runners/pods', null)
    await waitUntil('it can look', async () => target.fetch(signal).catch(() => null))
  })

  test('leaves the plan to the next pass when the cluster is away in the middle of it', async () => {
    using cluster = createFakeCluster()
    await using target = openTarget(cluster)
    const plan = { apply: [nodeWorkload('etl'), entrypointWorkload()], remove: [] }
    const deployments = '/apis/apps/v1/namespaces/runners/deployments'
    cluster.refuse('PATCH', deployments, { status: 503, body: 'etcd is away' })
    await expect(apply(target, plan)).rejects.toMatchObject({ code: 'unavailable' })
    cluster.refuse('PATCH', deployments, null)
    await apply(target, plan)
    await ready(target, 2)
  })

  test('shows what was refused until it is taken, or not wanted any more', async () => {
    using cluster = createFakeCluster()
    await using target = openTarget(cluster)
    const refusal = {
      status: 403,
      body: '{"message":"admission webhook \\"x\\" denied the request"}',
    }
    cluster.refuse('PATCH', '/apis/apps/v1/namespaces/runners/deployments', refusal)
    const workload = nodeWorkload('etl')
    const [stage] = await apply(target, { apply: [workload], remove: [] })
    expect(stage).toMatchObject({
      status: 'error',
      message: expect.stringContaining('webhook "x"'),
    })
    expect(await target.fetch(signal)).toMatchObject([
      {
        id: workload.id,
        replicasWanted: 0,
        specHash: '',
        replicas: [{ state: 'backoff', isOverdue: true, reason: stage?.message }],
      },
    ])
    await apply(target, { apply: [], remove: [workload.id] })
    expect(await target.fetch(signal)).toEqual([])
    await waitUntil('nothing is left', () => cluster.names().length === 0)
  })

  test('leaves nothing of a version behind, and the rest of its runtime alone', async () => {
    using cluster = createFakeCluster()
    await using target = openTarget(cluster)
    const published = entrypointWorkload(null)
    await apply(target, { apply: [published], remove: [] })
    await ready(target, 1)
    const before = cluster.names()
    const version = [nodeWorkload('etl'), entrypointWorkload()]
    await apply(target, { apply: version, remove: [] })
    await ready(target, 3)
    await apply(target, { apply: [], remove: version.map(({ id }) => id) })
    await waitUntil('the version is gone', () => cluster.names().length === before.length)
    expect(cluster.names()).toEqual(before)
  })

  test('takes over from an engine that is gone, in the middle of a removal too', async () => {
    using cluster = createFakeCluster()
    const workloads = [nodeWorkload('etl'), nodeWorkload('model')]
    {
      await using first = openTarget(cluster)
      await apply(first, { apply: workloads, remove: [] })
      await ready(first, 2)
      await apply(first, { apply: [], remove: [nodeWorkload('etl').id] })
    }
    await using next = openTarget(cluster)
    await waitUntil('one is gone', async () => (await next.fetch(signal)).length === 1)
    expect(await ready(next, 1)).toMatchObject([{ id: nodeWorkload('model').id }])
  })

  test('keeps the Secret of a spec as long as a pod may use it', async () => {
    using cluster = createFakeCluster()
    await using target = openTarget(cluster)
    const specs = () => cluster.names().filter((name) => /^secrets\/.*(?<!-access)$/.test(name))
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await ready(target, 1)
    const [former = ''] = specs()
    await apply(target, { apply: [nodeWorkload('etl', { revision: 2 })], remove: [] })
    expect(specs()).toHaveLength(2)
    await waitUntil('one is gone', () => specs().length === 1)
    expect(specs()).not.toContain(former)
  })
})
