import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { outputSubject } from '@kre/contracts'
import { createEventBus, createLogger, waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { openSqliteStore, type Store } from '@kre/store'
import { sampleLog, sampleRuntime } from '@kre/store/testing'
import { createMongoWriter } from './create-mongo-writer.ts'
import { createOutputsStream, outputsWaiting } from './testing/create-outputs-stream.ts'
import { sampleLogBatch } from './testing/sample-log-batch.ts'

let server: TestNats
let nats: NatsConnection
let store: Store
let dataDir: string

beforeAll(async () => {
  server = await startNats()
  nats = await server.connect()
  dataDir = await mkdtemp(join(tmpdir(), 'kre-log-batches-'))
  store = await openSqliteStore({ dataDir })
  await store.runtimes.create(sampleRuntime())
  await createOutputsStream(nats, 'demo')
})
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true, force: true })
})

const subject = outputSubject({ runtimeId: 'demo', version: 'v1' }, 'wf', 'log')
const send = (value: unknown) => jetstream(nats).publish(subject, JSON.stringify(value))

test('lines come many in a message and alone, from new nodes and from old ones, and each is stored once', async () => {
  await send(sampleLogBatch(['first', 'second', 'third']))
  // A message that was taken and not confirmed comes again; part of one may be there already.
  await send(sampleLogBatch(['first', 'second', 'third', 'fourth']))
  await send(sampleLog('n/1', { message: 'second' }))
  await send(sampleLog('of-an-old-node'))
  await using writer = createMongoWriter({
    store,
    nats,
    logger: createLogger('test', { level: 'silent' }),
    events: createEventBus((error) => {
      throw error
    }),
  })
  await writer.start(new AbortController().signal)
  await waitUntil('all is stored', async () => (await outputsWaiting(nats, 'demo')) === 0)
  const { items } = await store.outputs.logs({
    runtimeId: 'demo',
    limit: 100,
    order: 'oldest-first',
  })
  expect(items.map(({ id, message }) => [id, message])).toEqual([
    ['n/0', 'first'],
    ['n/1', 'second'],
    ['n/2', 'third'],
    ['n/3', 'fourth'],
    ['of-an-old-node', 'message of-an-old-node'],
  ])
  expect((await store.logRetention.usage('demo')).lines).toBe(5)
  expect(writer.counts).toEqual({ stored: 9, setAside: 0, returned: 0 })
})
