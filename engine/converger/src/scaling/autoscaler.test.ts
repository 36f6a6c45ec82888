import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Workload, WorkloadObservation } from '@kre/contracts'
import { createLogger } from '@kre/service-kit'
import { createAutoscaler, type Autoscaler } from './autoscaler.ts'

const IDLE_MS = 10_000

let now: number
let autoscaler: Autoscaler
let decisions: string[]
beforeEach(() => {
  now = 1_000_000
  decisions = []
  autoscaler = createAutoscaler(createLogger('test', { level: 'silent' }), () => now)
  autoscaler.watch((runtimeId) => decisions.push(runtimeId))
})
afterEach(() => autoscaler[Symbol.dispose]())

function workload(node: string, min: number | null, fused: string[] = []): Workload {
  const member = { kind: 'node', runtimeId: 'rt', version: 'v1', workflow: 'wf', node }
  const nodes = [node, ...fused].map((one) => ({
    node: one,
    targetInFlight: 2,
    targetQueueAgeMs: 1_000,
  }))
  return {
    id: `rt.v1.wf.${node}`,
    runtimeId: 'rt',
    version: 'v1',
    replicas: Math.max(1, min ?? 1),
    spec: { ...member, fused: fused.map((one) => ({ ...member, node: one })) },
    specHash: 'h',
    bundleDigest: null,
    memoryBytesMax: null,
    ...(min === null ? {} : { scaling: { min, max: 4, idleMs: IDLE_MS, nodes } }),
  } as unknown as Workload
}
function observed(one: Workload, replicas: number, scale?: number): WorkloadObservation {
  return {
    id: one.id,
    replicas: Array.from({ length: replicas }, () => ({ state: 'ready' })),
    ...(scale === undefined ? {} : { scale }),
  } as unknown as WorkloadObservation
}
/** A pass of the converger. @returns replicas that each workload shall have. */
function pass(workloads: readonly Workload[], ready: readonly number[], scale?: number): number[] {
  const seen = workloads.map((one, index) => observed(one, ready[index] ?? 0, scale))
  const wanted = workloads.map((one, index) => ({
    ...one,
    replicas: autoscaler.replicasOf(one, seen[index]),
  }))
  autoscaler.seen('rt', wanted, seen)
  return wanted.map(({ replicas }) => replicas)
}
const labels = (node: string) => ({ runtime: 'rt', version: 'v1', workflow: 'wf', node })
const say = (node: string, process: string, inFlight: number) =>
  autoscaler.read({
    process,
    name: 'kre_node_in_flight_messages',
    labels: labels(node),
    value: inFlight,
  })
const call = (workflow: unknown, version = 'v1') =>
  autoscaler.called(`x.rt.${version}._c.wake`, Buffer.from(JSON.stringify({ workflow })))
/** So many seconds, in each of which the nodes say that they have nothing to do. */
function idle(seconds: number, ...nodes: string[]): void {
  for (let second = 0; second < seconds; second++) {
    now += 1_000
    for (const node of nodes) say(node, `process of ${node}`, 0)
    autoscaler.look()
  }
}

describe('the autoscaler', () => {
  test('lets a workload without limits alone', () => {
    const fixed = workload('a', null)
    say('a', 'p', 100)
    autoscaler.look()
    expect(pass([fixed], [1])).toEqual([1])
    expect(decisions).toEqual([])
  })

  test('starts with what the manifest says, and goes on from what an engine before it has decided', () => {
    expect(pass([workload('a', 0), workload('b', 2)], [0, 0])).toEqual([1, 2])
    expect(pass([workload('c', 0)], [3], 3)).toEqual([3])
    // Limits may have been others then.
    expect(pass([workload('d', 1)], [9], 9)).toEqual([4])
    expect(pass([workload('e', 1)], [0], 0)).toEqual([1])
  })

  test('grows with what all replicas together say, and tells the converger', () => {
    const one = workload('a', 1)
    pass([one], [1])
    now += 5_000
    say('a', 'p', 3)
    autoscaler.look()
    expect(decisions).toEqual(['rt'])
    expect(pass([one], [1])).toEqual([2])
    now += 5_000
    say('a', 'p', 4)
    say('a', 'q', 4)
    autoscaler.look()
    expect(pass([one], [2])).toEqual([4])
  })

  test('scales nodes that share a process as one, by the busiest of them', () => {
    const group = workload('a', 1, ['b'])
    pass([group], [1])
    now += 5_000
    say('a', 'p', 1)
    say('b', 'p', 4)
    autoscaler.look()
    expect(pass([group], [1])).toEqual([2])
  })

  test('lets all nodes of a workflow sleep at once, when none of them has anything to do', () => {
    const both = [workload('a', 0), workload('b', 0)]
    pass(both, [1, 1])
    idle(8, 'a')
    say('b', 'process of b', 1)
    autoscaler.look()
    idle(8, 'a', 'b')
    expect(pass(both, [1, 1])).toEqual([1, 1])
    idle(4, 'a', 'b')
    expect(pass(both, [1, 1])).toEqual([0, 0])
  })

  test('lets nothing sleep while a node of the workflow is not heard of', () => {
    const both = [workload('a', 0), workload('b', null)]
    pass(both, [1, 1])
    idle(60, 'a')
    expect(pass(both, [1, 1])).toEqual([1, 1])
    idle(12, 'a', 'b')
    expect(pass(both, [1, 1])).toEqual([0, 1])
  })

  test('does not believe what a busy process said some seconds ago', () => {
    const one = workload('a', 1)
    pass([one], [1])
    now += 5_000
    say('a', 'p', 100)
    now += 5_000
    autoscaler.look()
    expect(pass([one], [1])).toEqual([1])
  })

  test('takes calls that ended between two looks for activity', () => {
    const one = [workload('a', 0)]
    pass(one, [1])
    for (let round = 0; round < 10; round++) {
      idle(5, 'a')
      autoscaler.count({ name: 'kre_node_calls_total', labels: labels('a'), value: 1, buckets: [] })
    }
    expect(pass(one, [1])).toEqual([1])
    idle(12, 'a')
    expect(pass(one, [1])).toEqual([0])
  })

  test('wakes what sleeps of a workflow that is called for, at once, and nothing else', () => {
    const workloads = [workload('a', 0), workload('b', 0)]
    pass(workloads, [0, 0], 0)
    for (const wrong of ['other', 5, '', null]) call(wrong)
    call('wf', 'v2')
    autoscaler.called('x.rt.v1._c.wake', Buffer.from('{'))
    expect(pass(workloads, [0, 0])).toEqual([0, 0])
    call('wf')
    expect(decisions).toEqual(['rt', 'rt'])
    expect(pass(workloads, [0, 0])).toEqual([1, 1])
    call('wf')
    expect(pass(workloads, [0, 0])).toEqual([1, 1])
  })

  test('keeps one that wakes up until it is there, for as long as somebody calls, and its time longer', () => {
    const one = [workload('a', 0)]
    pass(one, [0], 0)
    call('wf')
    idle(30)
    expect(pass(one, [1])).toEqual([1])
    for (let second = 0; second < 30; second++) {
      call('wf')
      idle(1, 'a')
    }
    expect(pass(one, [1])).toEqual([1])
    idle(12, 'a')
    expect(pass(one, [1])).toEqual([0])
  })

  test('forgets what does not run any more, and begins anew when it comes back', () => {
    const one = [workload('a', 0)]
    pass(one, [0], 0)
    autoscaler.seen('rt', [], [])
    expect(autoscaler.gauges()).toEqual([])
    expect(pass(one, [0])).toEqual([1])
  })

  test('says how many replicas each node has and shall have', () => {
    pass([workload('a', 0), workload('b', null)], [3, 1], 4)
    expect(autoscaler.gauges()).toEqual([
      { name: 'kre_node_replicas_wanted', labels: labels('a'), value: 4 },
      { name: 'kre_node_replicas_ready', labels: labels('a'), value: 3 },
      { name: 'kre_node_replicas_wanted', labels: labels('b'), value: 1 },
      { name: 'kre_node_replicas_ready', labels: labels('b'), value: 1 },
    ])
  })

  test('does not let processes fill its memory, or say what is no number', () => {
    const one = workload('a', 1)
    pass([one], [1])
    for (let index = 0; index < 10_000; index++) {
      say('a', `p${index}`, Number.NaN)
      say('stranger', `p${index}`, 1)
    }
    say('a', 'one more', -5)
    now += 5_000
    autoscaler.look()
    expect(pass([one], [1])).toEqual([1])
  })
})
