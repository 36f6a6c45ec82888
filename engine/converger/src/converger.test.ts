import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { KreError, type NatsManager, type Target, type WorkloadObservation } from '@kre/contracts'
import { createEventBus, createLogger, waitUntil } from '@kre/service-kit'
import { openSqliteStore, type Store } from '@kre/store'
import { sampleRuntime } from '@kre/store/testing'
import { createConverger } from './converger.ts'
import { sampleSettings } from './testing/sample-settings.ts'

let dir: string
let store: Store
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-converger-'))
  store = await openSqliteStore({ dataDir: dir })
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

const FORGOTTEN: WorkloadObservation = {
  id: 'gone.entrypoint',
  runtimeId: 'gone',
  version: null,
  role: 'entrypoint',
  workflow: null,
  node: null,
  replicasWanted: 1,
  specHash: '',
  replicas: [],
  address: '',
}

/** A target and a NATS on which one runtime runs that no store knows. */
function forgotten() {
  const state = { isAway: false, removed: [] as string[] }
  const told = { of: (_id: string) => undefined as void }
  const target: Target = {
    async fetch() {
      if (state.isAway) throw new KreError('unavailable', 'the cluster is away')
      return state.removed.length === 0 ? [FORGOTTEN] : []
    },
    // oxlint-disable-next-line require-yield -- it is done before there is anything to tell
    async *apply({ remove }) {
      state.removed.push(...remove)
    },
    watch(onChange) {
      told.of = onChange
      return () => undefined
    },
    info: async () => ({ name: 'test', kind: 'custom', facts: {} }),
  }
  const nats: NatsManager = {
    converge: async () => ({ created: [], removed: [] }),
    removeRuntime: async () => ({ created: [], removed: [] }),
    runtimes: async () => [],
    readRouting: async () => null,
    writeRouting: async () => undefined,
  }
  const open = (isTargetShared: boolean) =>
    createConverger({
      store,
      target,
      nats,
      isTargetShared,
      settings: sampleSettings,
      logger: createLogger('test', { level: 'silent' }),
      events: createEventBus(() => undefined),
      now: () => new Date(),
      fence: { token: 1, assertHeld: () => undefined },
    })
  return { state, told, open, nats }
}

const signal = new AbortController().signal

test('starts while the target is away, and finds what it has forgotten when it is back', async () => {
  await store.runtimes.create(sampleRuntime())
  const { state, told, open } = forgotten()
  state.isAway = true
  await using converger = open(true)
  await converger.start(signal)
  expect(state.removed).toEqual([])
  state.isAway = false
  told.of(FORGOTTEN.id)
  await waitUntil('what nobody knows is removed', () => state.removed[0] === FORGOTTEN.id)
})

test('removes nothing from a cluster because its store is empty: it may be the wrong one', async () => {
  const { state, told, open } = forgotten()
  await using converger = open(true)
  await converger.start(signal)
  told.of(FORGOTTEN.id)
  expect(state.removed).toEqual([])
  // A store that knows others has known this one, too.
  await store.runtimes.create(sampleRuntime())
  told.of(FORGOTTEN.id)
  await waitUntil('it is removed', () => state.removed[0] === FORGOTTEN.id)
})

test('removes the last runtime of its store from a cluster when it was deleted', async () => {
  await store.runtimes.create({ ...sampleRuntime(), id: 'gone' })
  const { state, told, open } = forgotten()
  await using converger = open(true)
  await converger.start(signal)
  state.removed.length = 0
  await store.runtimes.remove('gone')
  told.of(FORGOTTEN.id)
  await waitUntil('it is removed', () => state.removed[0] === FORGOTTEN.id)
})

test('removes from a folder of its own what an empty store does not know', async () => {
  const { state, open } = forgotten()
  await using converger = open(false)
  await converger.start(signal)
  expect(state.removed).toEqual([FORGOTTEN.id])
})

test('looks at sixteen runtimes at once, and at all of them before it has started', async () => {
  for (let n = 0; n < 40; n++)
    await store.runtimes.create({ ...sampleRuntime(), id: `r${n}`, name: `r${n}` })
  const { open, nats } = forgotten()
  let [under, most] = [0, 0]
  const seen = new Set<string>()
  nats.converge = async (runtimeId) => {
    most = Math.max(most, ++under)
    await new Promise((resolve) => setImmediate(resolve))
    under -= 1
    seen.add(runtimeId)
    return { created: [], removed: [] }
  }
  await using converger = open(true)
  await converger.start(signal)
  expect(seen.size).toBe(40)
  expect(most).toBeLessThanOrEqual(16)
})
