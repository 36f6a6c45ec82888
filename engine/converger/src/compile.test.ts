import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { emptyRelease, type GraphNode, type Release } from '@kre/contracts'
import { sampleFacts, sampleNode } from '@kre/contracts/testing'
import { compile, type CompileSettings, type CompileVersion } from './compile.ts'
import { sampleSettings } from './testing/sample-settings.ts'

const settings: CompileSettings = {
  ...sampleSettings,
  resolveRunner: (image) =>
    image.includes('kre-py') ? 'python' : image.includes('kre-ts') ? 'typescript' : null,
}
const release = (...running: string[]): Release => ({
  ...emptyRelease('demo', 'me', new Date(0)),
  generation: 1,
  running: running.map((version) => ({ version, configGeneration: 0 })),
})
const version = (name: string, changes: Partial<CompileVersion> = {}): CompileVersion => ({
  name,
  id: `id-${name}`,
  bundleDigest: `digest-${name}`,
  facts: sampleFacts(undefined, name),
  config: [],
  ...changes,
})
const ids = (result: ReturnType<typeof compile>) => result.workloads.map((workload) => workload.id)

describe('compile', () => {
  test('nothing is wanted before the first release', () => {
    expect(compile('demo', null, [version('v1')], settings)).toEqual({
      workloads: [],
      failures: {},
    })
  })

  test('entrypoints tell the origins that the operator trusts', () => {
    const trusting = { ...settings, corsOrigins: ['https://a.example'] }
    const { workloads } = compile('demo', release('v1'), [version('v1')], trusting)
    expect(workloads.find(({ spec }) => spec.kind === 'entrypoint')?.spec).toMatchObject({
      cors: { origins: ['https://a.example'] },
    })
  })

  test('each entrypoint has as many processes as the settings say', () => {
    const { workloads } = compile('demo', release('v1'), [version('v1')], {
      ...settings,
      entrypointWorkers: 3,
    })
    const entrypoints = workloads.filter(({ spec }) => spec.kind === 'entrypoint')
    expect(entrypoints.map(({ replicas }) => replicas)).toEqual([3, 3])
  })

  test('a node that follows its load says so beside its spec, and who feeds one that may sleep knows', () => {
    const limits = { min: 0, max: 3, targetInFlight: 2, targetQueueAgeMs: 5, idleMs: 1_000 }
    const compiled = (autoscaling?: typeof limits) => {
      const own = autoscaling === undefined ? {} : { autoscaling }
      const facts = sampleFacts([
        sampleNode('a', 'entrypoint'),
        sampleNode('b', 'a', own),
        sampleNode('c', 'b'),
      ])
      return compile('demo', release('v1'), [version('v1', { facts })], settings).workloads
    }
    const [a, b, c] = compiled(limits)
    expect(b?.scaling).toEqual({
      min: 0,
      max: 3,
      idleMs: 1_000,
      nodes: [{ node: 'b', targetInFlight: 2, targetQueueAgeMs: 5 }],
    })
    expect(a?.spec).toMatchObject({ sleeperOutputs: [null] })
    expect(b?.spec).not.toHaveProperty('sleeperOutputs')
    expect([a?.scaling, c?.scaling]).toEqual([undefined, undefined])
    // Other limits roll nothing, and bundles without them have the specs that they had.
    const hashes = (all: typeof limits | undefined) => compiled(all).map(({ specHash }) => specHash)
    expect(hashes({ ...limits, max: 9, idleMs: 5_000 })).toEqual(hashes(limits))
    expect(hashes({ ...limits, min: 1 })).toEqual(hashes(undefined))
  })

  test('nodes that share a process are one workload, whose limit is the sum of theirs', () => {
    const limit = (bytes: number) => ({
      cpuMillis: null,
      memoryBytes: { request: 1, limit: bytes },
    })
    const facts = sampleFacts([
      sampleNode('a', 'entrypoint', { src: 's.py', resources: limit(10) }),
      sampleNode('b', 'a', { src: 's.py', resources: limit(5) }),
    ])
    const { workloads } = compile('demo', release('v1'), [version('v1', { facts })], {
      ...settings,
      fuse: true,
    })
    const nodes = workloads.filter(({ spec }) => spec.kind === 'node')
    expect(nodes).toMatchObject([
      { spec: { node: 'a', fused: [{ node: 'b', kind: 'node' }] }, memoryBytesMax: 15 },
    ])
  })

  test('a process needs the processors of all its nodes, and a GPU where its node asks for one', () => {
    const cpu = (request: number, limit: number) => ({
      cpuMillis: { request, limit },
      memoryBytes: null,
    })
    const needs = (...nodes: GraphNode[]) =>
      compile('demo', release('v1'), [version('v1', { facts: sampleFacts(nodes) })], {
        ...settings,
        fuse: true,
      })
        .workloads.filter(({ spec }) => spec.kind === 'node')
        .map(({ resources }) => resources)
    expect(
      needs(
        sampleNode('a', 'entrypoint', { src: 's.py', resources: cpu(100, 200) }),
        sampleNode('b', 'a', { src: 's.py', resources: cpu(50, 1_000) }),
      ),
    ).toEqual([{ cpuMillis: { request: 150, limit: 1_200 }, gpu: null }])
    const gpu = { count: 2, class: 'a100' }
    expect(needs(sampleNode('a', 'entrypoint', { src: 's.py', gpu }))).toEqual([
      { cpuMillis: null, gpu },
    ])
    expect(needs(sampleNode('a', 'entrypoint', { src: 's.py' }))).toEqual([undefined])
  })

  test('a running version is its nodes, its entrypoint, and the published entrypoint of the runtime', () => {
    expect(ids(compile('demo', release('v1'), [version('v1'), version('v2')], settings))).toEqual([
      'demo.v1.wf.a',
      'demo.v1.wf.b',
      'demo.v1.entrypoint',
      'demo.entrypoint',
    ])
  })

  test('a changed value changes the hash of the nodes and of nothing else', () => {
    const facts = sampleFacts()
    facts.manifest.config.variables.push('API_KEY')
    const at = (value: string) =>
      compile(
        'demo',
        release('v1'),
        [version('v1', { facts, config: [{ key: 'API_KEY', type: 'VARIABLE', value }] })],
        settings,
      )
    const changed = at('one').workloads.filter(
      (workload, i) => workload.specHash !== at('two').workloads[i]?.specHash,
    )
    expect(changed.map((workload) => workload.id)).toEqual(['demo.v1.wf.a', 'demo.v1.wf.b'])
  })

  test('a default counts where no value is set', () => {
    const facts = sampleFacts()
    facts.manifest.config.variables.push('LEVEL')
    facts.manifest.config.defaults['LEVEL'] = 'low'
    const [node] = compile('demo', release('v1'), [version('v1', { facts })], settings).workloads
    expect(node?.spec).toMatchObject({ config: { variables: { LEVEL: 'low' } } })
  })

  test('a node knows which of its outputs anybody listens to', () => {
    const facts = sampleFacts([
      sampleNode('a', 'entrypoint'),
      sampleNode('b', 'a'),
      sampleNode('c', 'a', {
        subscriptions: [{ from: 'a', channel: 'rejected', durability: 'fast' }],
      }),
    ])
    const outputs = compile(
      'demo',
      release('v1'),
      [version('v1', { facts })],
      settings,
    ).workloads.map((workload) => (workload.spec.kind === 'node' ? workload.spec.outputs : null))
    expect(outputs).toEqual([[null, 'rejected'], [], [], null, null])
  })

  test('a version without a bundle or a runner fails alone', () => {
    const broken = version('v2', {
      facts: sampleFacts([sampleNode('a', 'entrypoint', { image: 'nobody/knows:1' })], 'v2'),
    })
    const result = compile('demo', release('v1', 'v2', 'v3'), [version('v1'), broken], settings)
    expect(ids(result)).toContain('demo.v1.entrypoint')
    expect(result.failures).toEqual({
      v2: 'node "a": no runner is known for image "nobody/knows:1"',
      v3: 'its bundle is not in the store any more: upload it again under another name',
    })
  })

  test('is independent of the order of versions and of the release', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(['v1', 'v2', 'v3', 'v4'], { minLength: 4 }),
        fc.shuffledSubarray(['v1', 'v2', 'v3', 'v4']),
        (all, running) => {
          const shuffled = compile(
            'demo',
            release(...running),
            all.map((name) => version(name)),
            settings,
          )
          const sorted = compile(
            'demo',
            release(...running.toSorted()),
            all.toSorted().map((name) => version(name)),
            settings,
          )
          expect(shuffled).toEqual(sorted)
        },
      ),
    )
  })
})
