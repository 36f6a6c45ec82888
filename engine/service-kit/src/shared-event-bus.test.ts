import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ENGINE_EVENTS_SUBJECT, type EngineEvent } from '@kre/contracts'
import { createEventBus } from './event-bus.ts'
import { createLogger } from './logger.ts'
import { createSharedEventBus } from './shared-event-bus.ts'
import { startNats, type TestNats } from './testing/index.ts'
import { waitUntil } from './wait-until.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const logger = createLogger('test', { level: 'silent' })

async function engine(origin: string) {
  const seen: EngineEvent[] = []
  let gaps = 0
  const local = createEventBus((error) => {
    throw error
  })
  const connection = await nats.connect(origin)
  const bus = createSharedEventBus({
    local,
    nats: connection,
    origin,
    logger,
    onGap: () => (gaps += 1),
  })
  bus.subscribe((event) => void seen.push(event))
  await connection.flush()
  return { bus, seen, connection, gaps: () => gaps }
}

test('what one engine publishes is heard once by every engine', async () => {
  const [a, b] = [await engine('a'), await engine('b')]
  const created: EngineEvent = { type: 'version.created', runtimeId: 'demo', version: 'v1' }
  a.bus.publish(created)
  b.bus.publish({ type: 'release.written', runtimeId: 'demo' })
  await waitUntil('both events', () => a.seen.length >= 2 && b.seen.length >= 2)
  await Promise.all([a.connection.flush(), b.connection.flush()])
  for (const { seen } of [a, b])
    expect(new Set(seen.map(({ type }) => type))).toEqual(
      new Set(['version.created', 'release.written']),
    )
  expect(a.seen).toContainEqual(created)
  expect(a.seen).toHaveLength(2)
})

test('garbage on the subject is no event, and ends nothing', async () => {
  const one = await engine('one')
  for (const text of ['', '{', '{"origin":1}', '{"origin":"x","event":{"type":"unheard of"}}'])
    one.connection.publish(ENGINE_EVENTS_SUBJECT, text)
  const other = await engine('other')
  other.bus.publish({ type: 'logs.written', runtimeId: 'demo' })
  await waitUntil('the event', () => one.seen.length > 0)
  expect(one.seen).toEqual([{ type: 'logs.written', runtimeId: 'demo' }])
})

test('a reconnect is a gap, and events flow again after it', async () => {
  const [a, b] = [await engine('a'), await engine('b')]
  await nats.restart()
  await waitUntil('both gaps', () => a.gaps() > 0 && b.gaps() > 0)
  await waitUntil('an event', () => {
    a.bus.publish({ type: 'runtime.created', runtimeId: 'demo' })
    return b.seen.length > 0
  })
})

test('a closed connection swallows nothing but the way to the others', async () => {
  const one = await engine('one')
  await one.connection.close()
  one.bus.publish({ type: 'runtime.deleted', runtimeId: 'demo' })
  await waitUntil('the event', () => one.seen.length > 0)
})
