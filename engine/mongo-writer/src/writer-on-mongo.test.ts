import { jetstream } from '@nats-io/jetstream'
import { afterAll, describe, expect, test } from '@jest/globals'
import { outputSubject, type OutputRecord } from '@kre/contracts'
import { createEventBus, createLogger, waitUntil } from '@kre/service-kit'
import { startNats } from '@kre/service-kit/testing'
import { sampleDocument, sampleLog, sampleRuntime } from '@kre/store/testing'
import { startMongo, type TestMongo } from '@kre/store/testing/mongo'
import { createMongoWriter } from './create-mongo-writer.ts'
import { createOutputsStream, outputsWaiting } from './testing/create-outputs-stream.ts'

/** Outputs that are sent at once, half of them logs. */
const BURST = 100
const KILLS = 3
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
  let sent = 0
  let isOver = false
  const sendOn = async (): Promise<void> => {
    while (!isOver) {
      const numbers = Array.from({ length: BURST }, () => sent++)
      await Promise.all(
        numbers.map((n) => send(n % 2 === 0 ? sampleLog(`${n}`) : sampleDocument(`${n}`, { n }))),
      )
    }
  }
  const sending = sendOn()
  for (let kills = 1; kills <= KILLS; kills++) {
    const { stored, returned } = writer.counts
    await waitUntil('something stored', () => writer.counts.stored > stored)
    await server.kill()
    await waitUntil('a batch given back', () => writer.counts.returned > returned)
    expect(await outputsWaiting(connection, 'demo')).toBeGreaterThan(0)
    await server.restart()
  }
  isOver = true
  await sending
  const isDrained = async (): Promise<boolean> => (await outputsWaiting(connection, 'demo')) === 0
  await waitUntil('stream drained', isDrained)
  expect(told('store works again')).toBeGreaterThan(0)
  expect(told('store fails')).toBeLessThanOrEqual(KILLS)
  // While the store is away one batch at a time goes to and fro, with longer and longer pauses between.
  expect(writer.counts.returned).toBeLessThan(KILLS * 20 * 500)
  expect(writer.counts.setAside).toBe(0)
  expect(await store.logRetention.usage('demo')).toMatchObject({ lines: sent / 2 })
  const documents = await store.outputs.documents('demo', 'results', sent)
  expect(new Set(documents.map(({ id }) => id)).size).toBe(sent / 2)
  expect(documents).toHaveLength(sent / 2)
}
