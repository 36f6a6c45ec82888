import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AckPolicy, jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream'
import { createInbox, headers, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import {
  dataSubject,
  KreError,
  outputSubject,
  retiredStreams,
  STORED_REPLY_HEADER,
  type EngineEvent,
  type OutputRecord,
} from '@kre/contracts'
import { createEventBus, createLogger, waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { openSqliteStore, type OutputStore, type Store } from '@kre/store'
import { sampleDocument, sampleLog, sampleRuntime } from '@kre/store/testing'
import { createMongoWriter, type MongoWriterDeps } from './create-mongo-writer.ts'
import { createOutputsStream, outputsWaiting } from './testing/create-outputs-stream.ts'

const lines: string[] = []
const logger = createLogger('test', { destination: { write: (line) => void lines.push(line) } })

describe('mongo-writer', () => {
  let server: TestNats
  let nats: NatsConnection
  let store: Store
  let dataDir: string
  let events: ReturnType<typeof createEventBus>
  const open: AsyncDisposable[] = []

  beforeAll(async () => {
    server = await startNats()
    nats = await server.connect()
  })
  afterAll(async () => server[Symbol.asyncDispose]())
  beforeEach(async () => {
    lines.length = 0
    dataDir = await mkdtemp(join(tmpdir(), 'kre-writer-'))
    store = await openSqliteStore({ dataDir })
    await store.runtimes.create(sampleRuntime())
    await createOutputsStream(nats, 'demo', { ackWaitMs: 1_000 })
    events = createEventBus((error) => {
      throw error
    })
  })
  afterEach(async () => {
    for (const each of open.splice(0)) await each[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true, force: true })
    await removeStream('demo')
  })

  async function removeStream(runtimeId: string): Promise<void> {
    await (await jetstreamManager(nats)).streams.delete(`OUT_${runtimeId}_v1`)
  }

  async function startWriter(changes: Partial<MongoWriterDeps> = {}) {
    const connection = changes.nats ?? (await server.connect('writer'))
    const writer = createMongoWriter({ store, logger, events, ...changes, nats: connection })
    open.push(writer)
    await writer.start(new AbortController().signal)
    return writer
  }

  async function send(record: OutputRecord, body: string | Uint8Array = JSON.stringify(record)) {
    await jetstream(nats).publish(outputSubject(record, record.workflow, record.kind), body)
  }

  async function drained(): Promise<void> {
    await waitUntil('stream drained', async () => (await outputsWaiting(nats, 'demo')) === 0)
  }

  async function logIds(): Promise<string[]> {
    const query = { runtimeId: 'demo', limit: 1_000, order: 'oldest-first' } as const
    const first = await store.outputs.logs(query)
    const items = [...first.items]
    for (let { cursor } = first; cursor !== null;) {
      const page = await store.outputs.logs({ ...query, cursor })
      items.push(...page.items)
      cursor = page.cursor
    }
    return items.map((log) => log.id)
  }

  /** The store with `write` replaced. */
  function storeWith(write: OutputStore['write']): MongoWriterDeps['store'] {
    return { runtimes: store.runtimes, outputs: { ...store.outputs, write } }
  }

  test('stores duplicates once and empties the stream', async () => {
    for (const id of ['1', '2', '1', '1']) await send(sampleLog(id))
    const writer = await startWriter()
    await send(sampleLog('2'))
    await drained()
    expect(await logIds()).toEqual(['1', '2'])
    expect(writer.counts).toEqual({ stored: 5, setAside: 0, returned: 0 })
  })

  test('sets malformed messages aside, stores their neighbours, and logs a burst once', async () => {
    const neighbour = sampleLog('0')
    await send(neighbour)
    for (const body of ['', '{', 'null', '[]', new Uint8Array([0xff, 0xfe])])
      await send(neighbour, body)
    await send(sampleLog('lie'), JSON.stringify(sampleLog('lie', { runtimeId: 'other' })))
    await send(sampleLog('1', { date: 'yesterday' }))
    await send(sampleLog('2'))
    const writer = await startWriter()
    await drained()
    expect(await logIds()).toEqual(['0', '2'])
    const aside = await store.outputs.listSetAside('demo', 100)
    expect(aside).toHaveLength(7)
    expect(aside.map(({ reason }) => reason)).toContainEqual(
      expect.stringContaining('claims the runtimeId "other"'),
    )
    expect(writer.counts).toMatchObject({ stored: 2, setAside: 7 })
    expect(lines.filter((line) => line.includes('set aside')).length).toBeLessThanOrEqual(2)
  })

  test('loses nothing while the store fails, stops pulling, and says so once', async () => {
    let failures = 0
    const writer = await startWriter({
      store: storeWith(async (records) => {
        if (failures < 4) {
          failures += 1
          throw new KreError('unavailable', 'the store is away')
        }
        return store.outputs.write(records)
      }),
    })
    for (let i = 0; i < 100; i++) await send(sampleLog(`${i}`.padStart(3, '0')))
    await drained()
    expect((await logIds()).toSorted()).toHaveLength(100)
    expect(failures).toBe(4)
    expect(writer.counts.returned).toBeGreaterThan(0)
    expect(lines.filter((line) => line.includes('store fails'))).toHaveLength(1)
    expect(lines.filter((line) => line.includes('store works again'))).toHaveLength(1)
  })

  test('a store that fails after it has written leaves no duplicates', async () => {
    let failed = false
    await startWriter({
      store: storeWith(async (records) => {
        const outcomes = await store.outputs.write(records)
        if (failed) return outcomes
        failed = true
        throw new KreError('unavailable', 'the answer was lost')
      }),
    })
    await send(sampleDocument('1', { a: 1 }))
    await drained()
    expect(failed).toBe(true)
    expect(await store.outputs.documents('demo', 'results', 10)).toHaveLength(1)
  })

  test('a writer that dies in the middle of a batch loses nothing', async () => {
    for (let i = 0; i < 50; i++) await send(sampleLog(`${i}`))
    let entered = false
    const connection = await server.connect('doomed')
    // It gets the batch, never answers, and is gone with its connection.
    const doomed = createMongoWriter({
      store: storeWith(() => {
        entered = true
        return new Promise(() => undefined)
      }),
      logger,
      events,
      nats: connection,
    })
    const death = new AbortController()
    await doomed.start(death.signal)
    await waitUntil('batch taken', () => entered)
    await connection.close()
    death.abort()
    await startWriter()
    await drained()
    expect(await logIds()).toHaveLength(50)
  })

  test('writers killed one after the other, between storing and acknowledging, lose and double nothing', async () => {
    await Promise.all(
      Array.from({ length: 2_000 }, (_, i) => send(sampleDocument(`${i}`, { n: i }))),
    )
    const script = join(import.meta.dirname, 'testing/write-until-killed.ts')
    for (let kills = 0; kills < 3; kills++) {
      const child = spawn(
        process.execPath,
        ['--no-warnings', script, server.access.servers[0] ?? '', dataDir],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      child.stdout.once('data', () => child.kill('SIGKILL'))
      await once(child, 'close')
    }
    expect(await outputsWaiting(nats, 'demo')).toBeGreaterThan(0)
    const writer = await startWriter()
    await drained()
    expect(writer.counts.setAside).toBe(0)
    const stored = await store.outputs.documents('demo', 'results', 10_000)
    expect(stored).toHaveLength(2_000)
  })

  test('several writers share the work', async () => {
    await Promise.all([startWriter(), startWriter(), startWriter()])
    await Promise.all(Array.from({ length: 300 }, (_, i) => send(sampleLog(`${i}`))))
    await drained()
    expect(new Set(await logIds()).size).toBe(300)
  })

  test('answers a sender that waits when its record is stored, and finds it then', async () => {
    await startWriter()
    const inbox = createInbox()
    const replies = nats.subscribe(inbox, { max: 2 })
    for (let i = 0; i < 2; i++) {
      const hdrs = headers()
      hdrs.set(STORED_REPLY_HEADER, inbox)
      const record = sampleDocument('1', { customer: 'c-17', nested: { n: 1 } })
      await jetstream(nats).publish('x.demo.v1.wf.o.document', JSON.stringify(record), {
        headers: hdrs,
      })
    }
    for await (const reply of replies) expect(reply.json()).toEqual({ success: true })
    const found = await nats.request(
      dataSubject('demo', 'find'),
      JSON.stringify({ collection: 'results', query: { 'nested.n': 1 } }),
    )
    expect(found.json()).toEqual({
      success: true,
      documents: [{ _id: '1', customer: 'c-17', nested: { n: 1 } }],
    })
    const refused = await nats.request(
      dataSubject('demo', 'find'),
      JSON.stringify({ collection: 'results', query: { n: { $gt: 0 } } }),
    )
    expect(refused.json()).toMatchObject({ success: false, error: expect.stringContaining('$gt') })
  })

  test('never answers on a subject that is no inbox', async () => {
    await startWriter()
    const hdrs = headers()
    hdrs.set(STORED_REPLY_HEADER, '$JS.API.STREAM.DELETE.OUT_demo_v1')
    await jetstream(nats).publish('x.demo.v1.wf.o.log', JSON.stringify(sampleLog('1')), {
      headers: hdrs,
    })
    await drained()
    expect(await logIds()).toEqual(['1'])
  })

  test('goes on after the NATS server was killed', async () => {
    await startWriter()
    await send(sampleLog('before'))
    await drained()
    await server.restart()
    await waitUntil('reconnected', () =>
      nats.flush().then(
        () => true,
        () => false,
      ),
    )
    await send(sampleLog('after'))
    await waitUntil('stored', async () => (await logIds()).includes('after'))
  })

  test('follows runtimes and their versions as they come and go', async () => {
    await startWriter()
    await store.runtimes.create(sampleRuntime('late'))
    events.publish({ type: 'runtime.created', runtimeId: 'late' })
    await createOutputsStream(nats, 'late')
    await send(sampleLog('1', { runtimeId: 'late' }))
    await waitUntil('stored', async () => (await outputsWaiting(nats, 'late')) === 0)
    events.publish({ type: 'runtime.deleted', runtimeId: 'late' })
    await waitUntil('no longer answered', () =>
      nats.request(dataSubject('late', 'find'), '{}', { timeout: 500 }).then(
        () => false,
        () => true,
      ),
    )
    await removeStream('late')
    expect(lines.filter((line) => line.includes('"late"'))).toEqual([])
  })

  test('warns of a stream that lacks its consumer for long, and goes on when it has one', async () => {
    const manager = await jetstreamManager(nats)
    const consumer = await manager.consumers.info('OUT_demo_v1', 'mongo-writer')
    await startWriter({ streamExpectedWithinMs: 0 })
    await manager.consumers.delete('OUT_demo_v1', 'mongo-writer')
    const says = (text: string) => lines.some((line) => line.includes(text))
    await waitUntil('warned', () => says('stream fails'))
    await manager.consumers.add('OUT_demo_v1', consumer.config)
    await send(sampleLog('1'))
    await drained()
    expect(says('stream works again')).toBe(true)
  })

  test('says nothing of a stream that goes with its version, and stores nothing of a runtime that went', async () => {
    await startWriter()
    await removeStream('demo')
    await createOutputsStream(nats, 'demo')
    await send(sampleLog('1'))
    await drained()
    events.publish({ type: 'runtime.deleted', runtimeId: 'demo' })
    await send(sampleLog('2'))
    expect(lines.filter((line) => line.includes('fails'))).toEqual([])
    expect(await logIds()).toEqual(['1'])
    expect(await outputsWaiting(nats, 'demo')).toBe(1)
  })

  test('empties what engines of before made for a whole runtime', async () => {
    const manager = await jetstreamManager(nats)
    const name = 'OUT_demo'
    const subject = retiredStreams('demo').get(name) ?? ''
    await removeStream('demo')
    await manager.streams.add({
      name,
      subjects: ['x.demo.*.*.o.*'],
      retention: RetentionPolicy.Workqueue,
    })
    await manager.consumers.add(name, {
      durable_name: 'mongo-writer',
      ack_policy: AckPolicy.Explicit,
    })
    await send(sampleLog('1'))
    await manager.streams.update(name, { subjects: [subject] })
    await createOutputsStream(nats, 'demo')
    await send(sampleLog('2'))
    await startWriter()
    await waitUntil('both', async () => (await logIds()).length === 2)
    await waitUntil('empty', async () => (await manager.streams.info(name)).state.messages === 0)
    await manager.streams.delete(name)
  })

  test('finds runtimes whose events it missed', async () => {
    await startWriter({ runtimesEveryMs: 20 })
    await store.runtimes.create(sampleRuntime('quiet'))
    await createOutputsStream(nats, 'quiet')
    await send(sampleLog('1', { runtimeId: 'quiet' }))
    await waitUntil('stored', async () => (await outputsWaiting(nats, 'quiet')) === 0)
    await removeStream('quiet')
  })

  test('says that there are new logs, not once per log', async () => {
    const seen: EngineEvent[] = []
    events.subscribe((event) => void seen.push(event))
    await Promise.all(Array.from({ length: 200 }, (_, i) => send(sampleLog(`${i}`))))
    await startWriter()
    await drained()
    await waitUntil('event', () => seen.length > 0)
    expect(seen[0]).toEqual({ type: 'logs.written', runtimeId: 'demo' })
    expect(seen.length).toBeLessThan(20)
  })

  test('removes old logs', async () => {
    await store.outputs.write([
      sampleLog('old'),
      sampleLog('new', { date: '2026-02-01T00:00:00Z' }),
    ])
    await startWriter({
      now: () => new Date('2026-02-02T00:00:00Z'),
      retention: { ageMs: 7 * 86_400_000, everyMs: 3_600_000 },
    })
    await waitUntil('expired', async () => (await logIds()).length === 1)
    expect(await logIds()).toEqual(['new'])
  })

  test('waits for a store that fails at the start, and stops when told to', async () => {
    const controller = new AbortController()
    let asked = 0
    const writer = createMongoWriter({
      store: {
        outputs: store.outputs,
        runtimes: {
          ...store.runtimes,
          list: async () => {
            asked += 1
            if (asked > 1) controller.abort()
            throw new KreError('unavailable', 'away')
          },
        },
      },
      nats,
      logger,
      events,
    })
    await writer.start(controller.signal)
    await writer[Symbol.asyncDispose]()
    expect(asked).toBe(2)
  })

  test('large messages pass, one batch of them after the other', async () => {
    await startWriter()
    const document = { text: 'x'.repeat(900_000) }
    for (let i = 0; i < 12; i++) await send(sampleDocument(`${i}`, document))
    await drained()
    expect(await store.outputs.documents('demo', 'results', 20)).toHaveLength(12)
  })
})
