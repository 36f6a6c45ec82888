/** How many requests the target makes of a cluster, in memory. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { workloadId, type NodeSpec, type Workload } from '@kre/contracts'
import { apply, ready } from '../testing/apply.ts'
import { createFakeCluster } from '../testing/fake-cluster.ts'
import { openFakeTarget } from '../testing/open-fake-target.ts'
import { entrypointWorkload, nodeWorkload } from '../testing/workloads.ts'

/** A version whose nodes have the configuration of the version, as the converger makes them. */
function version(name: string, nodes: number): Workload[] {
  const ref = { runtimeId: 'shop', version: name }
  const all = Array.from({ length: nodes }, (_, index): Workload => {
    const one = nodeWorkload(`n${index}`)
    const id = workloadId(ref, { workflow: 'main', node: `n${index}` })
    const config = { variables: { KEY: 'value' }, files: { FILE: 'content' } }
    const spec: NodeSpec = { ...(one.spec as NodeSpec), ...ref, config }
    return { ...one, ...ref, id, spec, configHash: 'same' }
  })
  return [...all, { ...entrypointWorkload(name), id: workloadId(ref) }]
}

const isWrite = (request: string) => /^(?:PATCH|POST|PUT|DELETE) /.test(request)

describe('requests to the cluster', () => {
  test('that start a version of 20 nodes are at most 40 writes', async () => {
    using cluster = createFakeCluster()
    await using target = openFakeTarget(cluster)
    const workloads = version('v1', 20)
    await apply(target, { apply: workloads, remove: [] })
    await ready(target, 21)
    const writes = cluster.requests.filter(isWrite)
    expect(writes.length).toBeLessThanOrEqual(40)
    // One of each that the version has, but for its Deployments.
    const byKind = Object.groupBy(
      writes,
      (one) => /namespaces\/runners\/(\w+)/.exec(one)?.[1] ?? '',
    )
    const counts = Object.entries(byKind).map(([kind, all]) => [kind, all?.length])
    expect(Object.fromEntries(counts)).toEqual({
      configmaps: 1,
      serviceaccounts: 1,
      networkpolicies: 2,
      secrets: 2,
      services: 1,
      deployments: 21,
    })
  })

  test('are none while nothing changes, however many versions run, but one watch of each kind', async () => {
    using cluster = createFakeCluster()
    await using target = openFakeTarget(cluster)
    const names = Array.from({ length: 8 }, (_, index) => `v${index}`)
    for (const name of names) await apply(target, { apply: version(name, 2), remove: [] })
    await ready(target, 24)
    const before = cluster.requests.length
    const watches = cluster.requests.filter((one) => one.startsWith('WATCH '))
    const kinds = watches.map((one) => /runners\/(\w+)/.exec(one)?.[1] ?? '')
    expect(kinds.toSorted()).toEqual([
      'configmaps',
      'deployments',
      'networkpolicies',
      'pods',
      'services',
    ])
    // Ticks of the target come every second.
    await sleep(2_500)
    for (let looks = 0; looks < 10; looks++) await target.fetch(new AbortController().signal)
    expect(cluster.requests.slice(before)).toEqual([])
  })
})
