import { jetstream } from '@nats-io/jetstream'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { outputSubject, type OutputRecord } from '@kre/contracts'
import { createEventBus, createLogger, waitUntil } from '@kre/service-kit'
import { startNats } from '@kre/service-kit/testing'
import { sampleDocument, sampleLog, sampleRuntime } from '@kre/store/testing'
import { startMongo, type TestMongo } from '@kre/store/testing/mongo'
import { createMongoWriter } from './create-mongo-writer.ts'
import { createOutputsStream, outputsWaiting } from './testing/create-outputs-stream.ts'

jest.setTimeout(120_000)

const OUTPUTS = 3_000
const mongo = await startMongo()

if (mongo === null) describe.skip('mongo-writer on MongoDB', () => undefined)
else {
  afterAll(async () => mongo[Symbol.asyncDispose]())
  describe(`mongo-writer on MongoDB (${mongo.kind})`, () => {
    const when = mongo.kind === 'FerretDB' ? test : test.skip
    when(
      'loses and doubles nothing when the store is killed under load, and stops pulling meanwhile',
      () => survivesOutage(mongo),
    )
  })
}

async function survivesOutage(server: TestMongo): Promise<void> {
  await using nats = await startNats()
  const connection = await nats.connect()
  await using store = await server.openStore()
  await store.runtimes.create(sampleRuntime())
  await createOutputsStream(connection, 'demo')
  const lines: string[] = []
  const logger = createLogger('test', { destination: { write: (line) => void lines.push(line) } })
  const told = (text: string): number => lines.filter((line) => line.includes(text)).length
  const events = createEventBus((error) => {
    throw error
  })
  await using writer = createMongoWriter({
    store,
    logger,
    events,
    nats: await nats.connect('writer'),
  })
  await writer.start(new AbortController().signal)

  const send = async (record: OutputRecord): Promise<void> => {
    const subject = outputSubject(record, record.workflow, record.kind)
    await jetstream(connection).publish(subject, JSON.stringify(record))
  }
  const sent = Promise.all(
    Array.from({ length: OUTPUTS }, (_, i) =>
      send(i % 2 === 0 ? sampleLog(`${i}`) : sampleDocument(`${i}`, { n: i })),
    ),
  )
  await waitUntil('something stored', () => writer.counts.stored > 0)
  await server.kill()
  await sent
  await waitUntil('the failure told', () => told('store fails') === 1)
  const { returned } = writer.counts
  expect(await outputsWaiting(connection, 'demo')).toBeGreaterThan(0)
  await server.restart()
  await waitUntil('stream drained', async () => (await outputsWaiting(connection, 'demo')) === 0, {
    timeoutMs: 60_000,
  })
  expect(told('store works again')).toBe(1)
  expect(told('store fails')).toBe(1)
  // While the store is away one batch at a time goes to and fro, with longer and longer pauses between.
  expect(returned).toBeGreaterThan(0)
  expect(writer.counts.returned).toBeLessThan(20 * 500)
  expect(writer.counts.setAside).toBe(0)
  expect(await store.logRetention.usage('demo')).toMatchObject({ lines: OUTPUTS / 2 })
  const documents = await store.outputs.documents('demo', 'results', OUTPUTS)
  expect(new Set(documents.map(({ id }) => id)).size).toBe(OUTPUTS / 2)
  expect(documents).toHaveLength(OUTPUTS / 2)
}
