import { describe, expect, test } from '@jest/globals'
import type { NatsVersion } from '@kre/contracts'
import { sampleFacts, sampleNode } from '@kre/contracts/testing'
import { diff } from './diff.ts'
import { plan, streamOf } from './plan.ts'

const version = (
  name: string,
  wanted: boolean,
  nodes?: Parameters<typeof sampleFacts>[0],
): NatsVersion => ({
  version: name,
  versionId: `id-${name}`,
  bundleDigest: 'd',
  facts: sampleFacts(nodes, name),
  wanted,
})
const names = (versions: NatsVersion[]) => plan('demo', versions).required.map(streamOf)

describe('plan', () => {
  test('a runtime without versions has its routing bucket and project store', () => {
    expect(names([])).toEqual(['KV_RT_demo', 'KV_KV_demo'])
  })

  test('a running version adds streams of its own, a store per workflow and node, and its interface', () => {
    expect(names([version('v1', true)])).toEqual([
      'KV_RT_demo',
      'KV_KV_demo',
      'OUT_demo_v1',
      'CLAIMS_demo_v1',
      'KV_KV_demo_v1_wf',
      'KV_KV_demo_v1_wf_a',
      'KV_KV_demo_v1_wf_b',
    ])
    const { interfaces, subjects } = plan('demo', [version('v1', true)])
    expect(interfaces.get('interface.v1')?.workflows).toEqual([
      { id: 'wf', timeoutMs: null, isChain: true, nodes: ['a', 'b'] },
    ])
    expect(subjects).toEqual([
      'x.demo.v1.wf.i',
      'x.demo.v1.wf.n.a',
      'x.demo.v1.wf.n.b',
      'c.demo.*.*.v1.>',
    ])
  })

  test('says of a workflow whether its nodes come one after the other', () => {
    const isChain = (...nodes: ReturnType<typeof sampleNode>[]) =>
      plan('demo', [version('v1', true, nodes)]).interfaces.get('interface.v1')?.workflows[0]
        ?.isChain ?? false
    expect(isChain(sampleNode('a', 'entrypoint'), sampleNode('b', 'a'))).toBe(true)
    expect(isChain(sampleNode('a', 'entrypoint'), sampleNode('b', 'entrypoint'))).toBe(false)
    expect(isChain(sampleNode('a', 'entrypoint'), sampleNode('b', 'a'), sampleNode('c', 'a'))).toBe(
      false,
    )
  })

  test('an object store of scope project is made once and belongs to the runtime', () => {
    const nodes = [
      sampleNode('a', 'entrypoint', { objectStore: { name: 'shared', scope: 'project' } }),
      sampleNode('b', 'a', { objectStore: { name: 'shared', scope: 'project' } }),
    ]
    const stores = plan('demo', [
      version('v1', true, nodes),
      version('v2', true, nodes),
    ]).required.filter((object) => object.kind === 'object-store')
    expect(stores).toEqual([
      expect.objectContaining({
        name: 'OBJ_demo__shared',
        owner: { runtime: 'demo', version: null },
      }),
    ])
  })
})

describe('diff', () => {
  const observed = (versions: NatsVersion[]) =>
    plan('demo', versions).required.map((object) => ({
      name: streamOf(object),
      owner: object.owner,
      consumers: 1,
      messages: 0,
      isQueue: object.kind === 'stream',
    }))

  test('nothing to do when all is there', () => {
    const versions = [version('v1', true)]
    expect(diff('demo', plan('demo', versions), observed(versions))).toEqual({
      create: [],
      remove: [],
      waiting: [],
      retire: new Map(),
    })
  })

  test('a stopped version keeps its stores, a deleted one loses them, other runtimes are not touched', () => {
    const there = [
      ...observed([version('v1', true)]),
      {
        name: 'KV_KV_other_v1_wf',
        owner: { runtime: 'other', version: 'v1' },
        consumers: 0,
        messages: 0,
        isQueue: false,
      },
    ]
    const streams = ['OUT_demo_v1', 'CLAIMS_demo_v1']
    expect(diff('demo', plan('demo', [version('v1', false)]), there).remove).toEqual(streams)
    expect(diff('demo', plan('demo', []), there).remove).toEqual([
      ...streams,
      'KV_KV_demo_v1_wf',
      'KV_KV_demo_v1_wf_a',
      'KV_KV_demo_v1_wf_b',
    ])
  })

  test('streams stay as long as processes drain, and outputs as long as any wait for the store', () => {
    const there = observed([version('v1', true)])
    const draining = [{ ...version('v1', false), isDraining: true }]
    expect(diff('demo', plan('demo', draining), there).remove).toEqual([])
    const waiting = there.map((stream) => ({ ...stream, messages: 1 }))
    for (const versions of [[version('v1', false)], []]) {
      const changes = diff('demo', plan('demo', versions), waiting)
      expect(changes.remove).toContain('CLAIMS_demo_v1')
      expect(changes.waiting).toEqual(['OUT_demo_v1'])
    }
  })

  test('streams of a whole runtime, as they were once, make room and go when nothing waits in them', () => {
    const owner = { runtime: 'demo', version: null }
    const old = (messages: number) => [
      { name: 'OUT_demo', owner, consumers: 1, messages, isQueue: true },
      { name: 'CLAIMS_demo', owner, consumers: 0, messages, isQueue: false },
    ]
    const changes = diff('demo', plan('demo', []), old(1))
    expect([...changes.retire]).toEqual([
      ['OUT_demo', 'x.demo._retired.OUT.o.none'],
      ['CLAIMS_demo', 'x.demo._retired.CLAIMS.o.none'],
    ])
    expect(changes.remove).toEqual(['CLAIMS_demo'])
    expect(diff('demo', plan('demo', []), old(0)).remove).toEqual(['OUT_demo', 'CLAIMS_demo'])
  })

  test('a stream that lost its consumer is completed', () => {
    const versions = [version('v1', true)]
    const there = observed(versions).map((stream) => ({ ...stream, consumers: 0 }))
    expect(diff('demo', plan('demo', versions), there).create.map((object) => object.name)).toEqual(
      ['OUT_demo_v1'],
    )
  })
})
