/**
 * Everything dies once, while requests go on: a ledger keeps the end of each. A whole engine as a process of its own,
 * a chain of three nodes, and a gRPC client that shares no code with KRE.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { MiB, type EngineProcess } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { packChain, type BundleNode } from './support/ledger-bundle.ts'
import { startTestEngine, type TestEngine } from './support/ledger-engine.ts'
import { FLAWLESS, PATIENCE_MS, run, RUNTIME, underLoad } from './support/ledger-faults.ts'
import { belongings } from './support/ledger-leftovers.ts'
import { connectRaw, type RawClient } from './support/ledger.ts'

async function processOf(engine: TestEngine, role: EngineProcess['role']): Promise<number> {
  return (await engine.status()).processes.find((one) => one.role === role)?.pid ?? 0
}

describe('a chain under load', () => {
  let engine: TestEngine
  let client: RawClient
  let published: RawClient
  beforeAll(async () => {
    engine = await startTestEngine({ KRE_NODE_MEMORY_BYTES_MAX: String(256 * MiB) })
    await engine.createRuntime(RUNTIME)
    client = connectRaw(await run(engine, 'v1'))
    await engine.operate('publish', RUNTIME, 'v1')
    await engine.reach(RUNTIME, 'v1', 'PUBLISHED')
    const { addresses } = await engine.status()
    published = connectRaw(
      addresses.find((one) => one.version === null && one.runtime === RUNTIME)?.address ?? '',
    )
  }, PATIENCE_MS)
  afterAll(async () => {
    // First what outlives a test: the clients are not there when the start failed.
    await engine[Symbol.asyncDispose]()
    client[Symbol.dispose]()
    published[Symbol.dispose]()
  }, PATIENCE_MS)
  beforeEach(() => engine.reach(RUNTIME, 'v1', 'PUBLISHED'), PATIENCE_MS)

  test.each(['a', 'b', 'c'])(
    'loses no request when node %s is killed',
    async (node) => {
      const pid = await engine.pidOf('v1', node)
      const tally = await underLoad(client, async () => process.kill(pid, 'SIGKILL'))
      expect(tally).toMatchObject(FLAWLESS)
      await waitUntil('another process', async () => (await engine.pidOf('v1', node)) !== pid)
    },
    PATIENCE_MS,
  )

  test.each([
    ['version', 'v1', () => client],
    ['runtime', null, () => published],
  ] as const)(
    'fails calls only as UNAVAILABLE when the entrypoint of the %s is killed, and answers again',
    async (_what, version, of) => {
      const pid = await engine.pidOf(version, null)
      const tally = await underLoad(of(), async () => process.kill(pid, 'SIGKILL'))
      expect(tally).toMatchObject({ wrong: [], silent: 0 })
      for (const failure of Object.keys(tally.failed)) expect(failure).toMatch(/^UNAVAILABLE: /)
      expect(await of().ask({ id: 'after' })).toMatchObject({ ok: true })
    },
    PATIENCE_MS,
  )

  test(
    'loses no request when nats-server is killed',
    async () => {
      const pid = await processOf(engine, 'nats-server')
      expect(await underLoad(published, async () => process.kill(pid, 'SIGKILL'))).toMatchObject(
        FLAWLESS,
      )
      await waitUntil(
        'another server',
        async () => (await processOf(engine, 'nats-server')) !== pid,
      )
    },
    PATIENCE_MS,
  )

  test(
    'loses no request when the guard of nats-server is killed, and gets another',
    async () => {
      const guard = await processOf(engine, 'nats-guard')
      const tally = await underLoad(published, async () => {
        process.kill(guard, 'SIGKILL')
        await waitUntil(
          'another guard',
          async () => (await processOf(engine, 'nats-guard')) !== guard,
        )
      })
      expect(tally).toMatchObject(FLAWLESS)
    },
    PATIENCE_MS,
  )

  test(
    'does not notice that the engine is killed; the next one takes the same processes over',
    async () => {
      const pids = async () =>
        new Set(
          (await engine.status()).processes.flatMap((one) =>
            one.role === 'engine' ? [] : [one.pid],
          ),
        )
      const before = await pids()
      const tally = await underLoad(published, async () => {
        await engine.kill()
        await engine.start()
      })
      expect(tally).toMatchObject(FLAWLESS)
      expect(await pids()).toEqual(before)
    },
    PATIENCE_MS,
  )

  test.each([
    ['throws', 'b:throw', /node 'b'.*not amused/],
    ['ends its process', 'b:exit', /node 'b'.*process\.exit\(7\)/],
    ['leaves a rejected promise behind', 'b:reject-later', /node 'b'.*nobody waits/],
    ['takes all memory', 'b:buffers', /"b"/],
  ])(
    'answers everybody else when user code %s',
    async (_what, command, message) => {
      let outcome: unknown
      const tally = await underLoad(client, async () => {
        outcome = await client.ask({ command }, 30_000)
      })
      expect(outcome).toMatchObject({
        ok: false,
        code: status.INTERNAL,
        message: expect.stringMatching(message),
      })
      expect(tally).toMatchObject({ wrong: [], silent: 0 })
    },
    PATIENCE_MS,
  )

  test.each(['b:line', 'b:lines'])(
    'is not held up by a flood of logs (%s)',
    async (command) => {
      const tally = await underLoad(client, () => client.ask({ command }))
      expect(tally).toMatchObject(FLAWLESS)
    },
    PATIENCE_MS,
  )

  test.each(['b:never', 'b:loop'])(
    'ends a request at its deadline and works on when a handler never ends (%s)',
    async (command) => {
      expect(await client.ask({ command }, 1_500)).toMatchObject({ code: status.DEADLINE_EXCEEDED })
      await waitUntil('an answer', async () => (await client.ask({ id: 'next' }, 5_000)).ok)
    },
    PATIENCE_MS,
  )
})

describe('a version whose code is broken', () => {
  let engine: TestEngine
  beforeAll(async () => {
    engine = await startTestEngine()
    await engine.createRuntime(RUNTIME)
  }, PATIENCE_MS)
  afterAll(async () => engine[Symbol.asyncDispose](), PATIENCE_MS)

  test.each<[string, string, RegExp]>([
    ['import', "import x from 'not-there'\nexport const defaultHandler = x", /not-there/],
    [
      'init',
      "export async function init() { throw new Error('no weights') }\nexport const defaultHandler = () => {}",
      /init.*no weights/,
    ],
    ['top', "throw new Error('at the top')\nexport const defaultHandler = () => {}", /at the top/],
    ['exit', 'process.exit(3)\nexport const defaultHandler = () => {}', /process\.exit\(3\)/],
  ])(
    'is in ERROR with the node and the cause (%s), and can be stopped and deleted',
    async (name, code, cause) => {
      const nodes: Record<string, BundleNode> = { a: {}, broken: { code } }
      expect((await engine.upload(RUNTIME, await packChain(name, nodes))).status).toBe(201)
      await engine.operate('start', RUNTIME, name)
      const { statusReason } = await engine.reach(RUNTIME, name, 'ERROR')
      expect(statusReason).toMatch(/^node "broken": /)
      expect(statusReason).toMatch(cause)
      await engine.operate('stop', RUNTIME, name)
      await engine.reach(RUNTIME, name, 'STOPPED')
      await engine.operate('delete', RUNTIME, name)
      await waitUntil('nothing left', async () => {
        const left = await belongings(engine.dataDir)
        return (
          left.processes.length + left.run.length + left.bundles.length + left.extracted.length ===
          0
        )
      })
    },
    PATIENCE_MS,
  )
})
