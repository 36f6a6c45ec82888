/** Engines beside each other that keep their data in one MongoDB: what one takes the other starts, and one of them leads. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { readEngineRecord, waitUntil } from '@kre/service-kit'
import { startMongo, type TestMongo } from '@kre/store/testing/mongo'
import { countStarts } from './support/engine-world.ts'
import { packChain } from './support/ledger-bundle.ts'
import { startTestEngine, type TestEngine } from './support/ledger-engine.ts'
import { FLAWLESS, PATIENCE_MS, RUNTIME, underLoad } from './support/ledger-faults.ts'
import { listProcesses } from './support/ledger-leftovers.ts'
import { connectRaw } from './support/ledger.ts'

/** For machines with much else to do, and a server that must be built first. */
jest.setTimeout(2 * PATIENCE_MS)

/** An engine that takes over is there within this, when the one that led is gone. */
const TAKEN_OVER_MS = 15_000

const mongo = await startMongo()
if (mongo === null) describe.skip('two engines on one MongoDB', () => undefined)
else describe(`two engines on one MongoDB (${mongo.kind})`, () => twoEngines(mongo))

function twoEngines(server: TestMongo): void {
  const settings = {
    KRE_JOIN: 'true',
    KRE_MONGODB_URI: server.uri,
    KRE_MONGODB_PREFIX: server.newPrefix(),
  }
  /** The one that leads at first. */
  let first: TestEngine
  let second: TestEngine
  /** Of the version that both look after. */
  let address = ''

  beforeAll(async () => {
    first = await startTestEngine(settings)
    second = await startTestEngine(settings, first.dataDir)
  })
  afterAll(async () => {
    await second?.kill()
    await first?.[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  const leader = async () => (await readEngineRecord(first.dataDir))?.pid
  const starts = async () => [...(await countStarts(await listProcesses(first.dataDir)))]
  const twice = async () => (await starts()).filter(([, count]) => count !== 1)
  const namesAt = async (engine: TestEngine) =>
    (
      await engine.graphql<{ versions: { name: string; status: string }[] }>(
        'query ($id: ID!) { versions(runtimeId: $id) { name status } }',
        { id: RUNTIME },
      )
    ).versions

  test('what is uploaded at one is started at the other, once', async () => {
    await first.createRuntime(RUNTIME)
    const archive = await packChain('v1')
    expect((await first.upload(RUNTIME, archive)).status).toBe(201)
    // The same bytes again, where nobody has seen them.
    expect((await second.upload(RUNTIME, archive)).status).toBe(200)
    const asked = [first, second].map((engine) => engine.operate('start', RUNTIME, 'v1'))
    expect(await Promise.allSettled(asked)).toContainEqual({
      status: 'fulfilled',
      value: undefined,
    })
    address = (await second.reach(RUNTIME, 'v1', 'STARTED')).entrypointAddress
    expect(await namesAt(first)).toEqual([{ name: 'v1', status: 'STARTED' }])
    expect(await namesAt(second)).toEqual(await namesAt(first))
    expect(await leader()).toBe(first.pid())
    expect(await twice()).toEqual([])
  })

  test('of two that publish different versions at once both are told what became of it', async () => {
    await second.upload(RUNTIME, await packChain('v2', { only: {} }))
    await second.operate('start', RUNTIME, 'v2')
    await first.reach(RUNTIME, 'v2', 'STARTED')
    await Promise.allSettled([
      first.operate('publish', RUNTIME, 'v1'),
      second.operate('publish', RUNTIME, 'v2'),
    ])
    const published = async (engine: TestEngine) =>
      (await namesAt(engine)).filter(({ status }) => status === 'PUBLISHED').map(({ name }) => name)
    await waitUntil('one is published', async () => (await published(first)).length === 1, {
      timeoutMs: PATIENCE_MS,
    })
    expect(await published(second)).toEqual(await published(first))
  })

  test('the other takes over from a leader that is killed: no failed request, nothing started twice', async () => {
    const before = await listProcesses(first.dataDir)
    using client = connectRaw(address)
    const tally = await underLoad(client, async () => {
      await first.kill()
      await waitUntil('the other leads', async () => (await leader()) === second.pid(), {
        timeoutMs: TAKEN_OVER_MS,
      })
      await waitUntil('its API leads', async () => (await second.status()).processes.length > 3)
    })
    expect(tally).toMatchObject(FLAWLESS)
    expect(new Set(await listProcesses(first.dataDir))).toEqual(new Set(before))
    expect(await twice()).toEqual([])
  })

  test('the one that took over looks after what runs, and the killed one joins again', async () => {
    const pid = await second.pidOf('v1', 'b')
    process.kill(pid, 'SIGKILL')
    await first.start()
    await waitUntil('another process', async () => (await first.pidOf('v1', 'b')) !== pid, {
      timeoutMs: PATIENCE_MS,
    })
    expect(await leader()).toBe(second.pid())
    const isUp = ({ status }: { status: string }) => status !== 'STARTING'
    await waitUntil('all of it runs', async () => (await namesAt(first)).every(isUp), {
      timeoutMs: PATIENCE_MS,
    })
    expect(await twice()).toEqual([])
  })

  test('an engine of another folder is refused while they live', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kre-other-'))
    try {
      await expect(startTestEngine(settings, folder)).rejects.toThrow(
        /pepper .* is gone, .* the data folder that has worked on this store/,
      )
      await copyFile(join(first.dataDir, 'pepper'), join(folder, 'pepper'))
      await expect(startTestEngine(settings, folder)).rejects.toThrow(
        /works on this store with another data folder/,
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}
