import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { KreError, type NatsManager, type Target, type WorkloadObservation } from '@kre/contracts'
import { createEventBus, createLogger, waitUntil } from '@kre/service-kit'
import { openSqliteStore, type Store } from '@kre/store'
import { sampleRuntime } from '@kre/store/testing'
import { createConverger } from './converger.ts'

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

test('starts while the target is away, and finds what it has forgotten when it is back', async () => {
  await store.runtimes.create(sampleRuntime())
  const state = { isAway: true, removed: [] as string[] }
  let told = (_id: string) => undefined as void
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
      told = onChange
      return () => undefined
    },
    info: async () => ({ name: 'test', kind: 'custom', facts: {} }),
  }
  const nats = {
    converge: async () => ({ created: [], removed: [] }),
    removeRuntime: async () => ({ created: [], removed: [] }),
    runtimes: async () => [],
    readRouting: async () => null,
    writeRouting: async () => undefined,
  } satisfies NatsManager
  await using converger = createConverger({
    store,
    target,
    nats,
    settings: {
      requestTimeoutMs: 1_000,
      payloadBytesMax: 1_000,
      entrypointWorkers: 1,
      configKey: Buffer.alloc(32, 1),
      fuse: false,
      corsOrigins: [],
      reflection: true,
      memoryBytesMax: null,
      resolveRunner: () => 'typescript',
    },
    logger: createLogger('test', { level: 'silent' }),
    events: createEventBus(() => undefined),
    now: () => new Date(),
    fence: { token: 1, assertHeld: () => undefined },
  })
  await converger.start(new AbortController().signal)
  expect(state.removed).toEqual([])
  state.isAway = false
  told(FORGOTTEN.id)
  await waitUntil('what nobody knows is removed', () => state.removed[0] === FORGOTTEN.id)
})
