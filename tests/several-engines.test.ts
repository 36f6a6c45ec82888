/** Engines beside each other on one data folder: all of them serve, one leads, and the next one takes over. */
import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { processStartTime, readEngineRecord, waitUntil } from '@kre/service-kit'
import { openEventStream } from '../engine/admin-api/src/testing/event-stream.ts'
import { countStarts } from './support/engine-world.ts'
import { createKre, isAlive, pidsOf } from './support/kre.ts'
import { packChain } from './support/ledger-bundle.ts'
import { startTestEngine, type TestEngine } from './support/ledger-engine.ts'
import { FLAWLESS, PATIENCE_MS, run, RUNTIME, underLoad } from './support/ledger-faults.ts'
import { belongings, listProcesses } from './support/ledger-leftovers.ts'
import { connectRaw } from './support/ledger.ts'

jest.setTimeout(PATIENCE_MS)

/** An engine that takes over is there within this, when the one that led is gone. */
const TAKEN_OVER_MS = 10_000
/** … when it hangs: its lease has to be over first. */
const HANGING_MS = 30_000
/** Deploys of the random test; more find more. */
const DEPLOYS = Number(process.env['KRE_RANDOM_DEPLOYS'] ?? 2)

const JOIN = { KRE_JOIN: 'true' }

/** Who made the folder. */
let owner: TestEngine
/** The one that leads. */
let first: TestEngine
let second: TestEngine
let address: string
beforeAll(async () => {
  owner = first = await startTestEngine(JOIN)
  second = await startTestEngine(JOIN, first.dataDir)
  await first.createRuntime(RUNTIME)
  address = await run(second, 'v1')
}, PATIENCE_MS)
afterAll(async () => {
  for (const engine of [first, second]) await engine?.kill()
  await owner?.[Symbol.asyncDispose]()
}, PATIENCE_MS)

const leader = async () => (await readEngineRecord(first.dataDir))?.pid
/** `engine` leads, and its API knows it. */
async function untilLeading(engine: TestEngine, timeoutMs: number): Promise<void> {
  await waitUntil('the next engine leads', async () => (await leader()) === engine.pid(), {
    timeoutMs,
  })
}
const processes = async () => [...(await countStarts(await listProcesses(first.dataDir)))]

describe('two engines on one data folder', () => {
  test('both show and change the same', async () => {
    const names = async (engine: TestEngine) =>
      (
        await engine.graphql<{ versions: { name: string; status: string }[] }>(
          'query ($id: ID!) { versions(runtimeId: $id) { name status } }',
          { id: RUNTIME },
        )
      ).versions
    expect(await names(first)).toEqual([{ name: 'v1', status: 'STARTED' }])
    expect(await names(second)).toEqual(await names(first))
    const [one, other] = await Promise.all([first.status(), second.status()])
    expect(other.processes).toEqual(one.processes)
    expect(one.processes.filter(({ role }) => role === 'engine').map(({ pid }) => pid)).toEqual([
      first.pid(),
      second.pid(),
    ])
    expect(await processes()).toEqual((await processes()).map(([launch]) => [launch, 1]))
  })

  test('what one does is seen by those who watch at the other', async () => {
    const headers = { authorization: `Bearer ${first.token()}` }
    const query = `subscription { watchVersion(runtimeId: "${RUNTIME}") { name status } }`
    const streams = await Promise.all(
      [first, second].map((engine) => openEventStream(engine.url(), headers, query)),
    )
    const last = (index: number) => JSON.stringify(streams[index]?.events.at(-1)?.data ?? null)
    await second.operate('publish', RUNTIME, 'v1')
    for (const index of [0, 1])
      await waitUntil('PUBLISHED is seen', () => last(index).includes('PUBLISHED'))
    await first.operate('unpublish', RUNTIME, 'v1')
    for (const index of [0, 1])
      await waitUntil('STARTED is seen', () => last(index).includes('STARTED'))
    for (const stream of streams) stream.close()
  })

  test('an upload goes on at the other, also when the first one still waits for bytes', async () => {
    const archive = await packChain('parts')
    const half = Math.floor(archive.length / 2)
    const send = async (engine: TestEngine, method: string, path: string, rest: SentPart = {}) =>
      fetch(new URL(path, engine.url()), {
        method,
        ...rest,
        headers: {
          authorization: `Bearer ${engine.token()}`,
          'tus-resumable': '1.0.0',
          ...rest.headers,
        },
      })
    const uploads = `/api/v1/runtimes/${RUNTIME}/uploads`
    const made = await send(first, 'POST', uploads, {
      headers: { 'upload-length': String(archive.length) },
    })
    expect(made.status).toBe(201)
    const path = new URL(made.headers.get('location') ?? '', first.url()).pathname

    // The connection hangs in the middle of a part: nobody has noticed that it is dead.
    const hanging = request(new URL(path, first.url()), {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${first.token()}`,
        'tus-resumable': '1.0.0',
        'content-type': 'application/offset+octet-stream',
        'upload-offset': '0',
        'content-length': String(archive.length),
      },
    })
    hanging.on('error', () => undefined)
    hanging.write(archive.subarray(0, half))
    // As clients of tus do: what the other connection still brings moves the offset, and it is asked for again.
    await waitUntil('the rest at the other engine', async () => {
      const head = await send(second, 'HEAD', path)
      const offset = Number(head.headers.get('upload-offset'))
      const part = archive.subarray(offset)
      const sent = await send(second, 'PATCH', path, {
        headers: {
          'content-type': 'application/offset+octet-stream',
          'upload-offset': String(offset),
        },
        body: new Blob([part as Uint8Array<ArrayBuffer>]),
      })
      expect([204, 409]).toContain(sent.status)
      return sent.status === 204
    })
    hanging.destroy()
    const id = path.split('/').at(-1)
    const done = await send(first, 'PUT', `/api/v1/runtimes/${RUNTIME}/versions?upload=${id}`)
    expect(done.status).toBe(201)
    expect((await second.version(RUNTIME, 'parts')).status).toBe('CREATED')
    await second.operate('delete', RUNTIME, 'parts')
  })

  test('many operations at both end in one consistent state', async () => {
    const archive = await packChain('same', { only: {} })
    const [one, other] = await Promise.all([
      first.upload(RUNTIME, archive),
      second.upload(RUNTIME, archive),
    ])
    expect(new Set([one.status, other.status])).toEqual(new Set([200, 201]))
    await Promise.allSettled(
      [first, second, first, second].map((engine) => engine.operate('start', RUNTIME, 'same')),
    )
    await Promise.all([first, second].map((engine) => engine.reach(RUNTIME, 'same', 'STARTED')))
    expect((await processes()).filter(([, count]) => count !== 1)).toEqual([])
    await second.operate('stop', RUNTIME, 'same')
    await first.reach(RUNTIME, 'same', 'STOPPED')
    await Promise.allSettled([
      first.operate('delete', RUNTIME, 'same'),
      second.upload(RUNTIME, archive),
    ])
    // Whichever was first: a version that is there has its bundle.
    const left = await first.version(RUNTIME, 'same').catch(() => null)
    const { bundles } = await belongings(first.dataDir)
    expect(bundles).toHaveLength(left === null ? 1 : 2)
    if (left !== null) await first.operate('delete', RUNTIME, 'same')
  })
})

describe('an engine that joined', () => {
  /** Both are there again, the first one leading. */
  afterEach(async () => {
    const isThere = async (engine: TestEngine) => (await processStartTime(engine.pid())) !== null
    if (!(await isThere(second))) await second.start()
  }, PATIENCE_MS)

  /** Swaps the names: the first one is the one that leads. */
  function swap(): void {
    const led = first
    first = second
    second = led
  }

  test('takes over from one that is killed, without a failed request or a second process', async () => {
    using client = connectRaw(address)
    const before = await listProcesses(first.dataDir)
    const tally = await underLoad(client, async () => {
      await first.kill()
      await untilLeading(second, TAKEN_OVER_MS)
      await waitUntil('its API leads', async () => (await second.status()).processes.length > 3)
    })
    expect(tally).toMatchObject(FLAWLESS)
    expect(new Set(await listProcesses(first.dataDir))).toEqual(new Set(before))
    swap()
    // It looks after what it took over.
    const pid = await first.pidOf('v1', 'b')
    process.kill(pid, 'SIGKILL')
    await waitUntil('another process', async () => (await first.pidOf('v1', 'b')) !== pid)
  })

  test('takes over from one that hangs, and ends it first', async () => {
    using client = connectRaw(address)
    const hanging = first.pid()
    const tally = await underLoad(client, async () => {
      process.kill(hanging, 'SIGSTOP')
      await untilLeading(second, HANGING_MS)
    })
    expect(await processStartTime(hanging)).toBeNull()
    expect(tally).toMatchObject(FLAWLESS)
    await second.operate('publish', RUNTIME, 'v1')
    await second.reach(RUNTIME, 'v1', 'PUBLISHED')
    await second.operate('unpublish', RUNTIME, 'v1')
    await second.reach(RUNTIME, 'v1', 'STARTED')
    swap()
  })

  test('takes over from one that is asked to end, and everything goes on', async () => {
    const before = await listProcesses(first.dataDir)
    const gone = once(first.process(), 'exit')
    first.process().kill('SIGTERM')
    await gone
    await untilLeading(second, TAKEN_OVER_MS)
    expect(new Set(await listProcesses(first.dataDir))).toEqual(new Set(before))
    swap()
  })

  test(
    'converges with the other one when both are killed at random in deploys',
    async () => {
      const twice: unknown[] = []
      let isOver = false
      const watching = (async () => {
        while (!isOver) {
          twice.push(...(await processes()).filter(([, count]) => count > 1))
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
      })()
      const seed = Number(process.env['KRE_SEED'] ?? Date.now())
      const random = mulberry(seed)
      try {
        for (let i = 0; i < DEPLOYS; i++) {
          const name = `deploy-${i}`
          const archive = await packChain(name, { only: {}, more: {} })
          await insist(
            () => either(random).upload(RUNTIME, archive),
            async () => (await status(name)) !== null,
          )
          for (const [operation, wanted] of [
            ['start', 'STARTED'],
            ['stop', 'STOPPED'],
          ] as const) {
            const asked = either(random)
              .operate(operation, RUNTIME, name)
              .catch(() => 'it was killed')
            await new Promise((resolve) => setTimeout(resolve, random() * 600))
            const victim = either(random)
            await victim.kill()
            await asked
            await victim.start()
            await insist(
              () => either(random).operate(operation, RUNTIME, name),
              async () => (await status(name)) === wanted,
            )
          }
          await insist(
            () => either(random).operate('delete', RUNTIME, name),
            async () => (await status(name)) === null,
          )
        }
      } catch (error) {
        throw new Error(`with KRE_SEED=${seed}`, { cause: error })
      } finally {
        isOver = true
        await watching
      }
      expect(twice).toEqual([])
      await waitUntil('nothing of the deploys is left', async () => {
        const { run: files, bundles } = await belongings(first.dataDir)
        return bundles.length === 1 && !files.some((file) => file.includes('deploy-'))
      })
    },
    3 * PATIENCE_MS,
  )

  const either = (random: () => number) => (random() < 0.5 ? first : second)

  /** Null when there is no such version; asked of whoever is there. */
  async function status(name: string): Promise<string | null> {
    for (const engine of [first, second]) {
      try {
        return (await engine.version(RUNTIME, name)).status
      } catch (error) {
        if (error instanceof Error && error.message.includes('no version')) return null
      }
    }
    return 'nobody answers'
  }

  /** Asks until it is so: answers of killed engines and of versions on their way are no reason to give up. */
  async function insist(ask: () => Promise<unknown>, isSo: () => Promise<boolean>): Promise<void> {
    await waitUntil(
      'what was asked for',
      async () => {
        if (await isSo()) return true
        await ask().catch(() => 'refused or cut off')
        return isSo()
      },
      { timeoutMs: HANGING_MS, everyMs: 300 },
    )
  }
})

describe('krectl', () => {
  test('starts an engine beside the one that is there, and ends all of them', async () => {
    await using kre = await createKre()
    const led = await kre.json<{ pid: number }>('dev', '--detach', '--no-example')
    const again = await kre.json<{ pid: number }>('dev', '--detach', '--no-example')
    expect(again.pid).toBe(led.pid)
    const joined = await kre.json<{ pid: number; adminUrl: string; loginUrl: string }>(
      'dev',
      '--join',
      '--detach',
    )
    expect(joined.pid).not.toBe(led.pid)
    expect(joined.loginUrl).toContain(joined.adminUrl)
    expect((await fetch(new URL('/healthz', joined.adminUrl))).status).toBe(200)
    const pids = await pidsOf(kre)
    expect(pids.slice(0, 2)).toEqual([led.pid, joined.pid])

    process.kill(led.pid, 'SIGKILL')
    await kre.json('runtime', 'create', 'mine')
    await waitUntil('the other leads', async () => (await pidsOf(kre))[0] === joined.pid, {
      timeoutMs: TAKEN_OVER_MS,
    })
    await kre.json('dev', '--join', '--detach')
    const all = await pidsOf(kre)
    expect(await kre.run('stop')).toMatchObject({ code: 0 })
    expect(all.filter(isAlive)).toEqual([])
  })
})

type SentPart = { headers?: Record<string, string>; body?: Blob }

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
function mulberry(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
