/** What people and programs do to objects of a version behind the engine's back, on a cluster in memory. */
import { describe, expect, test } from '@jest/globals'
import { objectName } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { apply, ready } from '../testing/apply.ts'
import { createFakeCluster, type FakeCluster } from '../testing/fake-cluster.ts'
import { kubernetesSettings } from '../testing/kubernetes-settings.ts'
import { openFakeTarget } from '../testing/open-fake-target.ts'
import { entrypointWorkload, nodeWorkload } from '../testing/workloads.ts'

const NODE = `deployments/${objectName(nodeWorkload('etl').id)}`
const SERVICE = `services/${objectName(entrypointWorkload().id)}`

function valueAt(object: object | undefined, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) => (value as Record<string, unknown> | undefined)?.[name],
      object,
    )
}

function reasonsIn({ events }: FakeCluster): string[] {
  return events.map((event) => (event as { message: string }).message)
}

async function start(cluster: FakeCluster, options: Parameters<typeof openFakeTarget>[1] = {}) {
  const target = openFakeTarget(cluster, options)
  await apply(target, { apply: [nodeWorkload('etl'), entrypointWorkload()], remove: [] })
  await ready(target, 2)
  return target
}

describe('what somebody has changed by hand', () => {
  test.each([
    [NODE, 'spec.replicas', 7],
    [NODE, 'spec.template.spec.serviceAccountName', 'default'],
    [NODE, 'spec.template.spec.automountServiceAccountToken', true],
    [NODE, 'spec.template.spec.containers', []],
    [NODE, 'spec.template.metadata.annotations', {}],
    [SERVICE, 'spec.selector', { app: 'theirs' }],
    [SERVICE, 'metadata.labels.type', 'other'],
  ])('is as it was again, and on record: %s %s', async (key, path, value) => {
    using cluster = createFakeCluster()
    await using target = await start(cluster)
    const before = valueAt(cluster.get(key), path)
    expect(cluster.events).toEqual([])
    cluster.edit(key, path, value)
    expect(valueAt(cluster.get(key), path)).toEqual(value)
    await waitUntil('it is repaired', () =>
      reasonsIn(cluster).some((text) => text.includes(path.split('.').slice(0, 2).join('.'))),
    )
    expect(valueAt(cluster.get(key), path)).toEqual(before)
    expect(cluster.events[0]).toMatchObject({
      reason: 'DriftRepaired',
      involvedObject: { name: key.split('/')[1] },
    })
    await ready(target, 2)
  })

  test.each([
    ['a Service', SERVICE],
    ['a NetworkPolicy', null],
    ['a Deployment', NODE],
  ])('%s that was removed is there again', async (_what, key) => {
    using cluster = createFakeCluster()
    await using target = await start(cluster)
    const name = key ?? cluster.names().find((one) => one.startsWith('networkpolicies/')) ?? ''
    cluster.remove(name)
    // Of a Deployment nobody knows but the converger, which sees that a workload is missing.
    if (key === NODE) await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await waitUntil('it is there', () => cluster.names().includes(name))
    await ready(target, 2)
  })

  test('does not count when it is something that the engine has not written', async () => {
    using cluster = createFakeCluster()
    await using target = await start(cluster)
    cluster.edit(NODE, 'metadata.annotations.kubectl', 'restarted')
    cluster.edit(NODE, 'spec.paused', false)
    await apply(target, { apply: [nodeWorkload('model')], remove: [] })
    await ready(target, 3)
    expect(cluster.events).toEqual([])
    expect(cluster.get(NODE)?.metadata.annotations['kubectl']).toBe('restarted')
  })

  test('is left alone where an engine with other settings has made it', async () => {
    using cluster = createFakeCluster()
    {
      await using first = await start(cluster)
      await ready(first, 2)
    }
    const settings = kubernetesSettings({
      scheduling: { nodeSelector: { pool: 'new' } },
      rollAtOnce: 0,
    })
    await using next = openFakeTarget(cluster, { settings })
    await ready(next, 2)
    cluster.edit(NODE, 'spec.replicas', 1)
    await apply(next, { apply: [nodeWorkload('model')], remove: [] })
    await ready(next, 3)
    expect(cluster.events).toEqual([])
  })

  test('is answered later and later when it comes back again and again', async () => {
    using cluster = createFakeCluster()
    let nowMs = 1_000_000
    await using target = await start(cluster, { now: () => nowMs })
    const change = async () => {
      cluster.edit(NODE, 'spec.replicas', 3)
      await ready(target, 4)
    }
    cluster.edit(NODE, 'spec.replicas', 3)
    await waitUntil('it is repaired once', () => cluster.events.length === 1)
    await change()
    expect(cluster.events).toHaveLength(1)
    nowMs += 5_000
    await waitUntil('it is repaired twice', () => cluster.events.length === 2)
    expect(cluster.get(NODE)?.spec?.replicas).toBe(1)
  })

  test('is repaired also where no Event may be written', async () => {
    using cluster = createFakeCluster()
    const refusal = { status: 403, body: '{"message":"cannot create resource \\"events\\""}' }
    cluster.refuse('POST', '/api/v1/namespaces/runners/events', refusal)
    await using target = await start(cluster)
    cluster.edit(SERVICE, 'spec.selector', {})
    await waitUntil('it is repaired', () => {
      const selector = valueAt(cluster.get(SERVICE), 'spec.selector') as object
      return Object.keys(selector).length > 0
    })
    await ready(target, 2)
  })

  test.each(['not JSON', '{}', '{"id":""}'])(
    'a record that became %j is written anew when the workload is applied',
    async (record) => {
      using cluster = createFakeCluster()
      await using target = await start(cluster)
      cluster.edit(NODE, 'metadata.annotations', { 'kre.dev/spec': record })
      await waitUntil('nobody knows it', async () => {
        const observed = await target.fetch(new AbortController().signal)
        return observed.length === 1
      })
      await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
      await ready(target, 2)
    },
  )
})
