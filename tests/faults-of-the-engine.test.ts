/** The engine dies in the middle of its work, or is asked for many things at once: the world ends as it was asked to be. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { processStartTime, waitUntil } from '@kre/service-kit'
import { packChain } from './support/ledger-bundle.ts'
import { startTestEngine, type TestEngine } from './support/ledger-engine.ts'
import { FLAWLESS, PATIENCE_MS, run, RUNTIME, underLoad } from './support/ledger-faults.ts'
import { belongings, listProcessesNaming } from './support/ledger-leftovers.ts'
import { connectRaw, startLoad } from './support/ledger.ts'

/** When the engine dies after an operation was asked for, in ms; more rows take longer and find more. */
const MOMENTS = [[300, 150, 10, 60, 5]] as const

describe('an engine that is killed in the middle of its work', () => {
  let engine: TestEngine
  beforeAll(async () => {
    engine = await startTestEngine()
    await engine.createRuntime(RUNTIME)
  }, PATIENCE_MS)
  afterAll(async () => engine[Symbol.asyncDispose](), PATIENCE_MS)

  /** Kills the engine some time after `act` was asked for, and starts the next one. */
  async function crashDuring(act: () => Promise<unknown>, afterMs: number): Promise<void> {
    const asked = act().catch(() => 'the engine went away')
    await sleep(afterMs)
    await engine.kill()
    await asked
    await engine.start()
  }
  const statusNow = async () => (await engine.version(RUNTIME, 'v1')).status

  test(
    'is followed by one that finishes it, without a failed request and without leftovers',
    async () => {
      using other = connectRaw(await run(engine, 'base'))
      const base = await belongings(engine.dataDir)
      const archive = await packChain('v1')
      const load = startLoad(other, { perSecond: 40, trail: 'abc' })

      for (const [upload, start, publish, stop, remove] of MOMENTS) {
        await crashDuring(() => engine.upload(RUNTIME, archive), upload)
        expect((await belongings(engine.dataDir)).scratch).toEqual([])
        expect([200, 201]).toContain((await engine.upload(RUNTIME, archive)).status)

        await crashDuring(() => engine.operate('start', RUNTIME, 'v1'), start)
        if ((await statusNow()) === 'CREATED') await engine.operate('start', RUNTIME, 'v1')
        await engine.reach(RUNTIME, 'v1', 'STARTED')

        await crashDuring(() => engine.operate('publish', RUNTIME, 'v1'), publish)
        if ((await statusNow()) === 'STARTED') await engine.operate('publish', RUNTIME, 'v1')
        await engine.reach(RUNTIME, 'v1', 'PUBLISHED')
        await engine.operate('unpublish', RUNTIME, 'v1')
        await engine.reach(RUNTIME, 'v1', 'STARTED')

        await crashDuring(() => engine.operate('stop', RUNTIME, 'v1'), stop)
        if ((await statusNow()) === 'STARTED') await engine.operate('stop', RUNTIME, 'v1')
        await engine.reach(RUNTIME, 'v1', 'STOPPED')

        await crashDuring(() => engine.operate('delete', RUNTIME, 'v1'), remove)
        await engine.operate('delete', RUNTIME, 'v1').catch(() => 'it is gone already')
        await waitUntil('all of the version is gone', async () => {
          const { streams, bundles, extracted, run: files } = await belongings(engine.dataDir)
          return (
            JSON.stringify([streams, bundles, extracted, files]) ===
            JSON.stringify([base.streams, base.bundles, base.extracted, base.run])
          )
        })
        expect(new Set((await belongings(engine.dataDir)).processes)).toEqual(
          new Set(base.processes),
        )
      }
      load.stop()
      expect(await load.tally()).toMatchObject(FLAWLESS)
    },
    2 * PATIENCE_MS,
  )

  test(
    'leaves nothing running when no other engine comes',
    async () => {
      const alone = await startTestEngine({ KRE_ENGINE_ABSENCE_MS: '3000', KRE_DRAIN_MS: '1000' })
      try {
        await alone.createRuntime(RUNTIME)
        await run(alone, 'v1')
        const { processes } = await belongings(alone.dataDir)
        expect(processes.length).toBeGreaterThanOrEqual(5)
        await alone.kill()
        await waitUntil(
          'all processes ended',
          async () =>
            (await Promise.all(processes.map(processStartTime))).every((found) => found === null) &&
            (await listProcessesNaming(alone.dataDir)).length === 0,
          { everyMs: 100 },
        )
      } finally {
        await alone[Symbol.asyncDispose]()
      }
    },
    PATIENCE_MS,
  )
})

describe('many things at once', () => {
  let engine: TestEngine
  beforeAll(async () => {
    engine = await startTestEngine()
  }, PATIENCE_MS)
  afterAll(async () => engine[Symbol.asyncDispose](), PATIENCE_MS)

  test(
    'parallel uploads, starts and publishes end in one consistent state',
    async () => {
      await engine.createRuntime(RUNTIME)
      const names = Array.from({ length: 10 }, (_, i) => `v${i}`)
      const archives = await Promise.all(names.map((name) => packChain(name, { only: {} })))
      const uploads = await Promise.all(archives.map((archive) => engine.upload(RUNTIME, archive)))
      expect(uploads.map((one) => one.status)).toEqual(names.map(() => 201))

      const few = names.slice(0, 3)
      await Promise.all(few.map((name) => engine.operate('start', RUNTIME, name)))
      await Promise.all(few.map((name) => engine.reach(RUNTIME, name, 'STARTED')))
      await Promise.allSettled(few.map((name) => engine.operate('publish', RUNTIME, name)))
      await waitUntil('one published version', async () => {
        const all = await Promise.all(few.map((name) => engine.version(RUNTIME, name)))
        const settled = all.every((one) => one.statusReason === '')
        return settled && all.filter((one) => one.status === 'PUBLISHED').length === 1
      })
      for (const name of few)
        if ((await engine.version(RUNTIME, name)).status === 'PUBLISHED')
          await engine.operate('unpublish', RUNTIME, name)
      await Promise.all(few.map((name) => engine.reach(RUNTIME, name, 'STARTED')))
      await Promise.all(few.map((name) => engine.operate('stop', RUNTIME, name)))
      await Promise.all(few.map((name) => engine.reach(RUNTIME, name, 'STOPPED')))
      await Promise.all(names.map((name) => engine.operate('delete', RUNTIME, name)))
      await waitUntil('all gone', async () => {
        const left = await belongings(engine.dataDir)
        return left.bundles.length + left.processes.length + left.run.length === 0
      })
    },
    PATIENCE_MS,
  )

  test(
    'runtimes whose ids begin alike leave each other alone',
    async () => {
      await Promise.all(['team', 'team-a'].map((id) => engine.createRuntime(id)))
      const [, address] = await Promise.all([
        run(engine, 'a-v1', 'team'),
        run(engine, 'v1', 'team-a'),
      ])
      using client = connectRaw(address)
      const tally = await underLoad(client, async () => {
        await engine.operate('stop', 'team', 'a-v1')
        await engine.reach('team', 'a-v1', 'STOPPED')
        await engine.graphql(
          'mutation ($input: DeleteRuntimeInput!) { deleteRuntime(input: $input) { id } }',
          {
            input: { id: 'team', comment: 'not needed any more' },
          },
        )
        await waitUntil('streams of the runtime gone', async () => {
          const { streams } = await belongings(engine.dataDir)
          return !streams.some((name) => /_team(_|$)/.test(name))
        })
      })
      expect(tally).toMatchObject(FLAWLESS)
      const { streams, bundles } = await belongings(engine.dataDir)
      expect(streams).toContain('KV_RT_team-a')
      expect(bundles).toHaveLength(1)
    },
    PATIENCE_MS,
  )
})
