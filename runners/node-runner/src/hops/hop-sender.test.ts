import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { decodeEnvelope, emptyEnvelope, type Envelope } from '@kre/contracts'
import { openCoreConnection, openInbox, parseAnswer } from '@kre/core-nats'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { createCounters } from '../counters.ts'
import { createHopSender, type Route } from './hop-sender.ts'
import { createLocalHops } from './local-hops.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

async function open() {
  const connection = openCoreConnection(nats.access, 'hops')
  const inbox = openInbox(connection)
  const counters = createCounters()
  let wakes = 0
  const hops = createHopSender(connection, inbox, counters, createLocalHops(), () => void wakes++)
  const dead: Envelope[] = []
  const refused: string[] = []
  const route = (subject: string, isRetried: boolean, isSleeper = false): Route => ({
    subject,
    isLocal: false,
    isRetried,
    isSleeper,
    onDead: (sent, isFull) => (isFull ? refused.push(sent.requestId) : dead.push(sent)),
  })
  await connection.whenUp(5_000)
  return {
    connection,
    inbox,
    counters,
    hops,
    dead,
    refused,
    wakes: () => wakes,
    route,
    [Symbol.dispose]: () => connection.close(),
  }
}
const envelope = (requestId: string, value = Buffer.from(requestId)): Envelope => ({
  ...emptyEnvelope(),
  requestId,
  typeUrl: 'type.googleapis.com/test.Text',
  value,
})
const later = () => performance.now() + 60_000

describe('a hop', () => {
  test('that nobody listens for is tried again, and arrives once when somebody comes', async () => {
    using scene = await open()
    const { hops, counters, connection } = scene
    for (let index = 0; index < 50; index++)
      hops.hop(scene.route('late', true), envelope(`r${index}`), later())
    await waitUntil('bounced', () => counters.bounces >= 50)
    const seen: string[] = []
    connection.subscribe('late', {
      onMessage: ({ data }) => seen.push(decodeEnvelope(data).requestId),
    })
    await waitUntil('all there', () => seen.length >= 50)
    expect(new Set(seen).size).toBe(50)
    expect(hops.retrying).toBe(0)
    expect(scene.dead).toEqual([])
  })

  test('is dead as it was sent, when nobody came in time; at once where nobody waits', async () => {
    using scene = await open()
    scene.hops.hop(scene.route('nobody', false), envelope('at once'), later())
    scene.hops.hop(scene.route('nobody', true), envelope('in time'), performance.now() + 60)
    await waitUntil('both', () => scene.dead.length === 2)
    expect(scene.dead).toMatchObject([{ requestId: 'at once' }, { requestId: 'in time' }])
    expect(Buffer.from(scene.dead[0]?.value ?? []).toString()).toBe('at once')
  })

  test('arrives as it was sent, however many large ones follow, and whatever becomes of its bytes', async () => {
    using scene = await open()
    const count = 600
    const wrong: string[] = []
    let seen = 0
    scene.connection.subscribe('many', {
      onMessage({ data }) {
        const { requestId, value } = decodeEnvelope(data)
        const fill = Number(requestId) % 251
        if (value.length !== 70_000 || value.some((byte) => byte !== fill)) wrong.push(requestId)
        seen++
      },
    })
    await scene.connection.flush()
    for (let sent = 0; sent < count; sent++) {
      const value = Buffer.alloc(70_000, sent % 251)
      scene.hops.hop(scene.route('many', true), envelope(String(sent), value), later())
      value.fill(255)
      if (sent % 25 === 24) await waitUntil('those before', () => seen > sent - 50)
    }
    await waitUntil('all of them', () => seen === count)
    expect(wrong).toEqual([])
  })

  test('that is too large is refused', async () => {
    using scene = await open()
    const large = envelope('large', Buffer.alloc(1_100_000))
    expect(() => scene.hops.hop(scene.route('large', true), large, later())).toThrow(
      'the broker carries at most 1047552',
    )
  })
})

describe('the inbox', () => {
  test('gives a request its answer, and says when nobody answers, or nobody in time', async () => {
    using scene = await open()
    const { connection, inbox } = scene
    connection.subscribe('echo', {
      onMessage: ({ data, reply }) => connection.publish(reply, data),
    })
    connection.subscribe('silence', { onMessage: () => undefined })
    await connection.flush()
    expect(parseAnswer(await inbox.request('echo', '{"a":1}', 5_000))).toEqual({ a: 1 })
    await expect(inbox.request('nobody', '{}', 5_000)).rejects.toMatchObject({
      code: 'unavailable',
    })
    await expect(inbox.request('silence', '{}', 20)).rejects.toMatchObject({
      code: 'deadline-exceeded',
    })
  })
})

describe('a hop to a node that sleeps', () => {
  const BEYOND_MS = 2_500

  test('waits longer than for one that is gone, asks for it, and arrives once', async () => {
    using scene = await open()
    const sentAt = performance.now()
    scene.hops.hop(scene.route('sleeper', true, true), envelope('patient'), later())
    scene.hops.hop(scene.route('gone', true), envelope('impatient'), later())
    await waitUntil('the other one is dead', () => scene.dead.length === 1)
    await waitUntil('long after', () => performance.now() - sentAt > BEYOND_MS)
    expect(scene.dead).toMatchObject([{ requestId: 'impatient' }])
    expect(scene.wakes()).toBeGreaterThan(1)
    const seen: string[] = []
    scene.connection.subscribe('sleeper', {
      onMessage: ({ data }) => seen.push(decodeEnvelope(data).requestId),
    })
    await waitUntil('it is there', () => seen.length > 0)
    await waitUntil('nothing is tried again', () => scene.hops.retrying === 0)
    expect(seen).toEqual(['patient'])
  })

  test('is dead at its deadline, or when its process ends', async () => {
    using scene = await open()
    const { hops } = scene
    hops.hop(scene.route('sleeper', true, true), envelope('late'), performance.now() + 150)
    await waitUntil('it is dead', () => scene.dead.length === 1)
    hops.hop(scene.route('sleeper', true, true), envelope('left behind'), later())
    await waitUntil('it waits', () => hops.retrying === 1)
    hops.giveUp()
    expect(hops.retrying).toBe(0)
    expect(scene.dead).toMatchObject([{ requestId: 'late' }, { requestId: 'left behind' }])
  })

  test('is refused when as many wait as may', async () => {
    using scene = await open()
    const { hops } = scene
    const large = Buffer.alloc(700_000)
    for (let index = 0; index < 30; index++)
      hops.hop(scene.route('sleeper', true, true), envelope(`r${index}`, large), later())
    await waitUntil('some are refused', () => scene.refused.length > 0)
    expect(hops.retrying * large.length).toBeLessThanOrEqual(16 * 1024 * 1024)
    hops.giveUp()
    hops.hop(scene.route('sleeper', true, true), envelope('one more', large), later())
    await waitUntil('there is room again', () => hops.retrying > 0)
    hops.giveUp()
  })
})
