/** Nodes that follow their load, and sleep without any, on this computer: a whole engine, and what becomes of calls. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { waitUntil } from '@kre/service-kit'
import { chainFiles, packFiles, type BundleNode } from './support/ledger-bundle.ts'
import { startTestEngine, type TestEngine } from './support/ledger-engine.ts'
import { connectRaw, startLoad, type Outcome, type RawClient } from './support/ledger.ts'

const RUNTIME = 'autoscaling'
const LONG = { timeoutMs: 90_000, everyMs: 50 }
/** Nobody has to wait for what is tested here. */
const QUICK = 'targetInFlight: 1, idleMs: 2000'
const ALL_WELL = { failed: {}, wrong: [], silent: 0 }

let engine: TestEngine
beforeAll(async () => {
  // Nobody knows how long an engine takes to start here.
  engine = await startTestEngine({ KRE_REQUEST_TIMEOUT_MS: '120000' })
  await engine.createRuntime(RUNTIME)
})
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
})

async function start(version: string, nodes: Record<string, BundleNode>): Promise<RawClient> {
  const archive = await packFiles(chainFiles(version, nodes))
  expect((await engine.upload(RUNTIME, archive)).status).toBe(201)
  await engine.operate('start', RUNTIME, version)
  return connectRaw((await engine.reach(RUNTIME, version, 'STARTED')).entrypointAddress)
}

const readyOf = async (version: string) =>
  (await engine.status()).processes
    .filter((one) => one.version === version && one.role === 'node' && one.state === 'ready')
    .map(({ pid }) => pid)
const untilReady = (version: string, count: number) =>
  waitUntil(
    `${count} replicas of ${version}`,
    async () => (await readyOf(version)).length === count,
    LONG,
  )

const ASLEEP = 'scaled to zero: nodes "a", "b" start with the next request'
/** What is on its way out may have a moment left, in which it answers. */
const untilAsleep = async (version: string) => {
  await waitUntil(
    `${version} asleep`,
    async () => {
      const { status: now, statusReason } = await engine.version(RUNTIME, version)
      return now === 'STARTED' && statusReason === ASLEEP
    },
    LONG,
  )
  await untilReady(version, 1)
}

test('a slow node gets replicas and loses them, others sleep, and no call notices, though the engine dies', async () => {
  const [wide, sleepy] = await Promise.all([
    start('wide', { a: { more: `autoscaling: { min: 1, max: 3, ${QUICK} }` } }),
    start('sleepy', {
      a: { more: `autoscaling: { min: 0, max: 2, ${QUICK} }` },
      b: { more: `autoscaling: { min: 0, max: 1, ${QUICK} }` },
      c: {},
    }),
  ])
  // Each takes a second: three are always in a handler.
  const load = startLoad(wide, { perSecond: 3, trail: 'a', command: 'a:slow', deadlineMs: 90_000 })
  using _ending = {
    [Symbol.dispose]() {
      load.stop()
      for (const client of [wide, sleepy]) client[Symbol.dispose]()
    },
  }
  expect((await callInTheLastMoment(sleepy)).filter(({ ok }) => !ok)).toEqual([])
  await Promise.all([untilReady('wide', 3), untilAsleep('sleepy')])
  expect(await engine.version(RUNTIME, 'wide')).toMatchObject({ status: 'STARTED' })
  const { body: metrics } = await engine.request<string>('GET', '/metrics')
  expect(metrics).toMatch(/kre_node_replicas_wanted\{[^}]*version="wide"[^}]*\} 3/)
  expect(metrics).toMatch(/kre_node_replicas_ready\{[^}]*version="sleepy"[^}]*node="a"[^}]*\} 0/)

  const before = await readyOf('wide')
  await engine.kill()
  // Nobody can start anything now: who has time waits, and who has none is told.
  const patient = sleepy.ask({ id: 'patient' }, 90_000)
  expect(await sleepy.ask({ id: 'in a hurry' }, 300)).toMatchObject({
    ok: false,
    code: status.DEADLINE_EXCEEDED,
  })
  await engine.start()
  expect(await patient).toMatchObject({ ok: true, ticket: { id: 'patient', trail: 'abc' } })
  expect(await readyOf('wide')).toEqual(before)

  expect(await load.tally()).toMatchObject(ALL_WELL)
  const light = startLoad(wide, { perSecond: 5, trail: 'a', deadlineMs: 90_000 })
  await untilReady('wide', 1)
  expect(await light.tally()).toMatchObject(ALL_WELL)
}, 240_000)

/** Calls as soon as the first process of `sleepy` is on its way out. */
async function callInTheLastMoment(client: RawClient): Promise<Outcome[]> {
  await waitUntil('one goes', async () => (await readyOf('sleepy')).length < 3, {
    ...LONG,
    everyMs: 5,
  })
  return Promise.all(
    Array.from({ length: 10 }, (_, index) => client.ask({ id: `late ${index}` }, 90_000)),
  )
}
