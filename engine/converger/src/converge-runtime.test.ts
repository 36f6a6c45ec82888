import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { KreError } from '@kre/contracts'
import type { NatsManager, Target, TargetPlan, Workload } from '@kre/contracts'
import { sampleFacts } from '@kre/contracts/testing'
import { createLogger } from '@kre/service-kit'
import { createKeyRing, makeMasterKey } from '@kre/service-kit/secrets'
import { openSqliteStore, sealStore } from '@kre/store'
import { sampleRelease, sampleRuntime, sampleVersion } from '@kre/store/testing'
import { convergeRuntime } from './converge-runtime.ts'
import { sampleSettings } from './testing/sample-settings.ts'

const signal = new AbortController().signal

/** A target that runs at once what it is told. */
function obedientTarget(): Target & { plans: TargetPlan[] } {
  const running = new Map<string, Workload>()
  const plans: TargetPlan[] = []
  return {
    plans,
    async fetch() {
      return [...running.values()].map((workload) => ({
        id: workload.id,
        runtimeId: workload.runtimeId,
        version: workload.version,
        role: workload.spec.kind,
        workflow: null,
        node: null,
        replicasWanted: workload.replicas,
        specHash: workload.specHash,
        replicas: Array.from({ length: workload.replicas }, (_, replica) => ({
          replica,
          state: 'ready' as const,
          specHash: workload.specHash,
          pid: 1,
          startedAt: null,
          restarts: 0,
          isOverdue: false,
          reason: '',
        })),
        address: '',
      }))
    },
    // oxlint-disable-next-line require-yield -- it is done before there is anything to tell
    async *apply(plan) {
      plans.push(plan)
      for (const workload of plan.apply) running.set(workload.id, workload)
      for (const id of plan.remove) running.delete(id)
    },
    watch: () => () => undefined,
    info: async () => ({ name: 'test', kind: 'custom', facts: {} }),
  }
}

function quietNats(): NatsManager {
  let published: string | null = null
  return {
    converge: async () => ({ created: [], removed: [] }),
    removeRuntime: async () => undefined,
    readRouting: async () => ({ generation: 1, published }),
    async writeRouting(_runtimeId: string, table: { published: string | null }) {
      published = table.published
    },
  } as unknown as NatsManager
}

test('a value that is damaged fails its version alone, and ends nothing that runs', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'kre-converge-'))
  const raw = await openSqliteStore({ dataDir })
  try {
    const ring = createKeyRing([makeMasterKey()])
    const opened = { ring, source: 'test', save: null, reload: async () => undefined }
    const { store } = await sealStore(raw, opened)
    await store.runtimes.create(sampleRuntime())
    const facts = sampleFacts()
    facts.manifest.config.variables.push('TOKEN')
    for (const name of ['v1', 'v2']) {
      await store.versions.create(sampleVersion(name, { facts }))
      const entry = { key: 'TOKEN', type: 'VARIABLE' as const, value: name, updatedAt: new Date() }
      await store.config.set('demo', name, [entry])
    }
    const running = ['v1', 'v2'].map((version) => ({ version, configGeneration: 1 }))
    await store.releases.append(sampleRelease(1, { running, published: 'v1' }))
    const target = obedientTarget()
    const deps = {
      store,
      target,
      nats: quietNats(),
      settings: sampleSettings,
      logger: createLogger('test', { level: 'silent' }),
      now: () => new Date(),
      fence: { token: 1, assertHeld: () => undefined },
    }
    await convergeRuntime(deps, 'demo', signal)
    expect(await convergeRuntime(deps, 'demo', signal)).toBe(true)
    const before = (await target.fetch(signal)).map(({ id }) => id)

    const [stored] = await raw.config.get('demo', 'v1')
    if (stored === undefined) throw new Error('nothing is stored')
    await raw.config.set('demo', 'v1', [{ ...stored, value: stored.value.slice(0, -4) }])
    target.plans.length = 0
    expect(await convergeRuntime(deps, 'demo', signal)).toBe(false)
    expect((await store.placements.get('demo'))?.failures).toEqual({
      v1: expect.stringMatching(/^SECRET_CORRUPT: .*"TOKEN" of version "v1" of runtime "demo"/),
    })
    expect((await target.fetch(signal)).map(({ id }) => id)).toEqual(before)
    expect(target.plans).toEqual([])
    expect((await store.placements.get('demo'))?.routed).toBe('v1')

    await store.config.set('demo', 'v1', [{ ...stored, value: 'set again' }])
    await convergeRuntime(deps, 'demo', signal)
    expect((await store.placements.get('demo'))?.failures).toEqual({})
  } finally {
    await raw[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true, force: true })
  }
})

/** One version that shall run and be published. */
async function world(work: (deps: Parameters<typeof convergeRuntime>[0]) => Promise<void>) {
  const dataDir = await mkdtemp(join(tmpdir(), 'kre-converge-'))
  const store = await openSqliteStore({ dataDir })
  try {
    await store.runtimes.create(sampleRuntime())
    await store.versions.create(sampleVersion('v1', { facts: sampleFacts() }))
    const running = [{ version: 'v1', configGeneration: 0 }]
    await store.releases.append(sampleRelease(1, { running, published: 'v1' }))
    await work({
      store,
      target: obedientTarget(),
      nats: quietNats(),
      settings: sampleSettings,
      logger: createLogger('test', { level: 'silent' }),
      now: () => new Date(),
      fence: { token: 1, assertHeld: () => undefined },
    })
  } finally {
    await store[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true, force: true })
  }
}

test('starts nothing while NATS is away, and catches up in the next pass', () =>
  world(async (deps) => {
    const target = obedientTarget()
    const away = async () => {
      throw new KreError('unavailable', 'no server answers')
    }
    const unprepared = { ...deps, target, nats: { ...deps.nats, converge: away } }
    expect(await convergeRuntime(unprepared, 'demo', signal)).toBe(false)
    expect(target.plans).toEqual([])
    expect(await deps.store.placements.get('demo')).toMatchObject({
      failures: {},
      stages: { v1: 'no server answers' },
    })
    await convergeRuntime({ ...deps, target }, 'demo', signal)
    expect(target.plans).toHaveLength(1)
  }))

test('says why nobody knows what runs, and keeps what was seen last', () =>
  world(async (deps) => {
    const target = obedientTarget()
    await convergeRuntime({ ...deps, target }, 'demo', signal)
    await convergeRuntime({ ...deps, target }, 'demo', signal)
    const before = await deps.store.placements.get('demo')
    expect(before?.workloads.length).toBeGreaterThan(0)
    target.plans.length = 0
    const fetch = async () => {
      throw new KreError('unavailable', 'list Pods: add the rule {pods, list}')
    }
    const blind = { ...deps, target: { ...target, fetch } }
    await expect(convergeRuntime(blind, 'demo', signal)).rejects.toThrow(/add the rule/)
    expect(target.plans).toEqual([])
    expect(await deps.store.placements.get('demo')).toMatchObject({
      workloads: before?.workloads,
      routed: before?.routed,
      stages: { v1: "what runs can't be looked at: list Pods: add the rule {pods, list}" },
    })
    await convergeRuntime({ ...deps, target }, 'demo', signal)
    expect((await deps.store.placements.get('demo'))?.stages).toEqual({})
  }))

test('applies as many replicas as the autoscaler says, and needs one of them to publish', () =>
  world(async (deps) => {
    const target = obedientTarget()
    const wanted: Record<string, number> = { 'demo.v1.wf.a': 3 }
    const seen: number[][] = []
    const autoscaler = {
      replicasOf: ({ id, replicas }: Workload) => wanted[id] ?? replicas,
      seen: (_: string, desired: readonly Workload[]) =>
        void seen.push(desired.map(({ replicas }) => replicas)),
      watch: () => () => undefined,
    }
    const scaled = { ...deps, target, autoscaler }
    await convergeRuntime(scaled, 'demo', signal)
    expect(await convergeRuntime(scaled, 'demo', signal)).toBe(true)
    expect(target.plans).toHaveLength(1)
    expect(seen.at(-1)).toEqual([3, 1, 1, 1])
    wanted['demo.v1.wf.a'] = 0
    await convergeRuntime(scaled, 'demo', signal)
    expect(target.plans[1]?.apply).toMatchObject([{ id: 'demo.v1.wf.a', replicas: 0 }])
    expect(target.plans[1]?.apply[0]?.specHash).toBe(target.plans[0]?.apply[0]?.specHash)
  }))

describe('an engine whose lease is over', () => {
  test('does nothing', () =>
    world(async (deps) => {
      const target = obedientTarget()
      const over = () => {
        throw new KreError('aborted', 'the lease is over')
      }
      const fenced = { ...deps, target, fence: { token: 1, assertHeld: over } }
      await expect(convergeRuntime(fenced, 'demo', signal)).rejects.toThrow('the lease is over')
      expect(target.plans).toEqual([])
      expect(await deps.store.placements.get('demo')).toBeNull()
    }))

  test('wakes up in the middle of a pass and overwrites nothing of the next one', () =>
    world(async (deps) => {
      await convergeRuntime({ ...deps, fence: { ...deps.fence, token: 2 } }, 'demo', signal)
      const theirs = await deps.store.placements.get('demo')
      await expect(convergeRuntime(deps, 'demo', signal)).rejects.toMatchObject({ code: 'aborted' })
      expect(await deps.store.placements.get('demo')).toEqual(theirs)
    }))
})
