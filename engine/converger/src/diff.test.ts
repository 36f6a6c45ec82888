import { describe, expect, test } from '@jest/globals'
import { emptyRelease, type Release, type WorkloadObservation } from '@kre/contracts'
import { sampleFacts } from '@kre/contracts/testing'
import { compile } from './compile.ts'
import { diff, isReady, route } from './diff.ts'
import { sampleSettings } from './testing/sample-settings.ts'

const release = (running: string[], published: string | null): Release => ({
  ...emptyRelease('demo', 'me', new Date(0)),
  generation: 1,
  running: running.map((version) => ({ version, configGeneration: 0 })),
  published,
})
const desired = compile(
  'demo',
  release(['v1'], null),
  [{ name: 'v1', id: 'id', bundleDigest: 'd', facts: sampleFacts(), config: [] }],
  sampleSettings,
).workloads
const observed: WorkloadObservation[] = desired.map((workload) => ({
  id: workload.id,
  runtimeId: 'demo',
  version: workload.version,
  role: workload.spec.kind,
  workflow: null,
  node: null,
  replicasWanted: 1,
  specHash: workload.specHash,
  address: '',
  replicas: [
    {
      replica: 0,
      state: 'ready',
      specHash: workload.specHash,
      pid: 1,
      startedAt: null,
      restarts: 0,
      isOverdue: false,
      reason: '',
    },
  ],
}))

describe('diff', () => {
  test('is empty when the target is as wanted', () => {
    expect(diff(desired, observed)).toEqual({ apply: [], remove: [] })
  })
  test('applies what is missing or other, removes what nobody wants', () => {
    const changed = observed
      .slice(1)
      .map((workload, i) => (i === 0 ? { ...workload, specHash: 'old' } : workload))
    const stray = { ...(observed[0] as WorkloadObservation), id: 'demo.v0.wf.a' }
    const plan = diff(desired, [...changed, stray])
    expect(plan.apply.map((workload) => workload.id)).toEqual(['demo.v1.wf.a', 'demo.v1.wf.b'])
    expect(plan.remove).toEqual(['demo.v0.wf.a'])
  })
})

describe('isReady', () => {
  test('needs every replica ready in the wanted form', () => {
    expect(isReady(desired, observed)).toBe(true)
    expect(isReady(desired, observed.slice(1))).toBe(false)
    const rolling = observed.map((workload) => ({
      ...workload,
      replicas: workload.replicas.map((replica) => ({ ...replica, specHash: 'old' })),
    }))
    expect(isReady(desired, rolling)).toBe(false)
  })
})

describe('route', () => {
  const all = () => true
  const none = () => false
  test.each([
    ['nothing published', release(['v1'], null), null, all, null],
    ['publish of a ready version', release(['v1'], 'v1'), null, all, 'v1'],
    ['publish of a version that is not ready', release(['v1'], 'v1'), null, none, null],
    ['a switch waits for the new version', release(['v1', 'v2'], 'v2'), 'v1', none, 'v1'],
    ['a switch to a ready version', release(['v1', 'v2'], 'v2'), 'v1', all, 'v2'],
    [
      'a published version that lost a node keeps its traffic',
      release(['v1'], 'v1'),
      'v1',
      none,
      'v1',
    ],
    ['unpublish', release(['v1'], null), 'v1', all, null],
    [
      'the old version is to stop before the new one is ready',
      release(['v2'], 'v2'),
      'v1',
      none,
      null,
    ],
  ] as const)('%s', (_name, wanted, routed, ready, expected) => {
    expect(route(wanted, routed, ready)).toBe(expected)
  })
})
