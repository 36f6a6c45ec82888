/** A cluster that is away, refuses, forgets or is in the way, in memory. */
import { describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { apply, ready } from '../testing/apply.ts'
import { createFakeCluster } from '../testing/fake-cluster.ts'
import { openFakeTarget } from '../testing/open-fake-target.ts'
import { entrypointWorkload, nodeWorkload } from '../testing/workloads.ts'

const signal = new AbortController().signal
const DEPLOYMENTS = '/apis/apps/v1/namespaces/runners/deployments'

function answer(status: number, message: string) {
  return { status, body: JSON.stringify({ kind: 'Status', message }) }
}

describe('the Kubernetes target', () => {
  test('does nothing while the API server is away, and goes on with what it has missed', async () => {
    using cluster = createFakeCluster()
    await using target = openFakeTarget(cluster)
    await apply(target, { apply: [nodeWorkload('etl'), entrypointWorkload()], remove: [] })
    await ready(target, 2)
    cluster.away(true)
    await waitUntil('it says so', async () =>
      target.fetch(signal).then(
        () => false,
        (error: { code?: string }) => error.code === 'unavailable',
      ),
    )
    const before = cluster.requests.length
    const plan = { apply: [nodeWorkload('model')], remove: [entrypointWorkload().id] }
    await expect(apply(target, plan)).rejects.toMatchObject({ code: 'unavailable' })
    expect(cluster.requests).toHaveLength(before)
    // What happens meanwhile is seen afterwards.
    const pod = cluster.names().find((name) => name.startsWith('pods/')) ?? ''
    cluster.kill(cluster.get(pod)?.metadata.uid ?? '')
    cluster.away(false)
    await waitUntil('it looks again', async () => target.fetch(signal).catch(() => null))
    await apply(target, plan)
    await waitUntil('the entrypoint is gone', async () =>
      (await target.fetch(signal)).every(({ role }) => role === 'node'),
    )
    await ready(target, 2)
  })

  test('asks seldom while it is refused: a login that has expired floods nobody', async () => {
    using cluster = createFakeCluster()
    const expired = answer(401, 'Unauthorized')
    for (const plural of ['pods', 'configmaps', 'services'])
      cluster.refuse('GET', `/api/v1/namespaces/runners/${plural}`, expired)
    cluster.refuse('GET', DEPLOYMENTS, expired)
    await using target = openFakeTarget(cluster)
    await expect(target.fetch(signal)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('renew the login of the kubeconfig'),
    })
    const before = cluster.requests.length
    await waitUntil('it tries again', () => cluster.requests.length > before)
    // Four kinds, each tried again after a pause that doubles.
    expect(cluster.requests.length).toBeLessThan(before + 10)
    for (const plural of ['pods', 'configmaps', 'services'])
      cluster.refuse('GET', `/api/v1/namespaces/runners/${plural}`, null)
    cluster.refuse('GET', DEPLOYMENTS, null)
    await waitUntil('it is let in', async () => target.fetch(signal).catch(() => null))
  })

  test('says that its namespace is gone, and starts everything anew in one that is made again', async () => {
    using cluster = createFakeCluster()
    await using target = openFakeTarget(cluster)
    const plan = { apply: [nodeWorkload('etl'), entrypointWorkload()], remove: [] }
    await apply(target, plan)
    await ready(target, 2)
    for (const name of cluster.names()) cluster.remove(name)
    const gone = answer(404, 'namespaces "runners" not found')
    cluster.refuse('PATCH', '/api/v1/namespaces/runners/configmaps', gone)
    await waitUntil('nothing is seen', async () => (await target.fetch(signal)).length === 0)
    const stages = await apply(target, plan)
    for (const { status, message } of stages)
      expect([status, message]).toEqual([
        'error',
        'namespace "runners" does not exist: make it with "kubectl create namespace runners"',
      ])
    cluster.refuse('PATCH', '/api/v1/namespaces/runners/configmaps', null)
    await apply(target, plan)
    await ready(target, 2)
  })

  test('says why a quota keeps its objects out, and goes on when there is room', async () => {
    using cluster = createFakeCluster()
    await using target = openFakeTarget(cluster)
    const full = answer(
      403,
      'secrets "x" is forbidden: exceeded quota: small, requested: secrets=1',
    )
    cluster.refuse('PATCH', '/api/v1/namespaces/runners/secrets', full)
    const plan = { apply: [nodeWorkload('etl')], remove: [] }
    const [stage] = await apply(target, plan)
    expect(stage).toMatchObject({
      status: 'error',
      message: expect.stringMatching(/^QuotaExceeded: .*exceeded quota: small/),
    })
    const [observed] = await target.fetch(signal)
    expect(observed?.replicas[0]?.reason).toBe(stage?.message)
    await waitUntil('nothing is left behind', () => cluster.names().length === 0)
    cluster.refuse('PATCH', '/api/v1/namespaces/runners/secrets', null)
    await apply(target, plan)
    await ready(target, 1)
  })

  test('does again what somebody else was in the way of, and tells a conflict that stays', async () => {
    using cluster = createFakeCluster()
    await using target = openFakeTarget(cluster)
    const conflict = answer(409, 'the object has been modified')
    cluster.refuse('PATCH', DEPLOYMENTS, conflict)
    const before = cluster.requests.length
    const [stage] = await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    expect(stage).toMatchObject({
      status: 'error',
      message: expect.stringContaining('the object has been modified'),
    })
    const tries = cluster.requests.slice(before).filter((one) => one.includes(DEPLOYMENTS))
    expect(tries.filter((one) => one.startsWith('PATCH'))).toHaveLength(4)
    cluster.refuse('PATCH', DEPLOYMENTS, null)
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await ready(target, 1)
  })

  test.each([
    ['PATCH', 'patch'],
    ['DELETE', 'delete'],
  ])('shows with a version why it can not be ended: %s is refused', async (method, verb) => {
    using cluster = createFakeCluster()
    await using target = openFakeTarget(cluster)
    await apply(target, { apply: [nodeWorkload('etl'), entrypointWorkload()], remove: [] })
    await ready(target, 2)
    const lacking = `User "kre" cannot ${verb} resource "deployments" in API group "apps"`
    cluster.refuse(method, DEPLOYMENTS, answer(403, lacking))
    const plan = { apply: [], remove: [nodeWorkload('etl').id, entrypointWorkload().id] }
    const rule = `{apiGroups: ["apps"], resources: ["deployments"], verbs: ["${verb}"]}`
    await waitUntil('the reason', async () => {
      await apply(target, plan)
      const observed = await target.fetch(signal)
      return observed.some(({ replicas }) => replicas.some(({ reason }) => reason.includes(rule)))
    })
    cluster.refuse(method, DEPLOYMENTS, null)
    await apply(target, plan)
    await waitUntil('all is gone', async () => (await target.fetch(signal)).length === 0)
    expect(cluster.names()).toEqual([])
  })

  test('lists again when the server does not know any more from where to watch', async () => {
    using cluster = createFakeCluster()
    await using target = openFakeTarget(cluster)
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await ready(target, 1)
    cluster.refuse('WATCH', DEPLOYMENTS, answer(410, 'too old resource version'))
    cluster.away(true)
    cluster.away(false)
    const lists = () => cluster.requests.filter((one) => one.startsWith(`GET ${DEPLOYMENTS}?`))
    const before = lists().length
    await waitUntil('it lists again', () => lists().length > before)
    cluster.refuse('WATCH', DEPLOYMENTS, null)
    await waitUntil('it watches', async () => target.fetch(signal).catch(() => null))
    await ready(target, 1)
  })
})
