import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { connectNats, waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { headers } from '@nats-io/transport-node'
import { type CoreConnection, type CoreOptions, openCoreConnection } from './core-connection.ts'
import type { CoreMessage } from './parser.ts'
import { startConfiguredNats } from './testing/start-configured-nats.ts'

type Opened = CoreConnection & Disposable & { told: string[]; errors: Error[] }

/** A connection that closes with the test, and what it told. */
function open(
  access: Partial<TestNats['access']>,
  options: CoreOptions = {},
  name = 'test',
): Opened {
  const connection = openCoreConnection(
    { servers: [], user: '', password: '', ...access },
    name,
    options,
  )
  const told: string[] = []
  const errors: Error[] = []
  connection.listen({
    onUp: () => told.push('up'),
    onDown: () => told.push('down'),
    onLost: (reason) => told.push(`lost: ${reason.code}`),
    onError: (error) => errors.push(error),
  })
  return { ...connection, told, errors, [Symbol.dispose]: () => connection.close() }
}
const local = (port: number) => [`127.0.0.1:${port}`]
const bytes = (text: string) => Buffer.from(text)
const textOf = (message: CoreMessage) => Buffer.from(message.data).toString()

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

describe('messages', () => {
  test('come with subject, reply and data, in order', async () => {
    using a = open(nats.access)
    using b = open(nats.access)
    const seen: CoreMessage[] = []
    b.subscribe('order.*', { onMessage: (message) => seen.push(message) })
    await Promise.all([a.whenUp(5_000), b.whenUp(5_000)])
    for (let index = 0; index < 1_000; index++)
      a.publish(`order.${index}`, bytes(`${index}`), index % 2 === 0 ? 'reply.here' : '')
    await waitUntil('all there', () => seen.length === 1_000)
    seen.forEach((message, index) => {
      expect(message.subject).toBe(`order.${index}`)
      expect(message.reply).toBe(index % 2 === 0 ? 'reply.here' : '')
      expect(textOf(message)).toBe(String(index))
      expect(message.status).toBe(0)
    })
  })

  test('go to the stock client and come from it, with headers, from 0 bytes to what the server takes', async () => {
    const stock = await nats.connect()
    using core = open(nats.access)
    const atStock: number[] = []
    const heads: string[] = []
    stock.subscribe('interop.out', {
      callback: (_, message) => {
        atStock.push(message.data.length)
        heads.push(message.headers?.get('A') ?? '')
      },
    })
    await stock.flush()
    const atCore: CoreMessage[] = []
    core.subscribe('interop.in', { onMessage: (message) => atCore.push(message) })
    await core.whenUp(5_000)
    await core.flush()
    const sizes = [0, 1, 65_536, 65_537, 1_048_576]
    const block = bytes('NATS/1.0\r\nA: b\r\n\r\n')
    for (const size of sizes) core.publish('interop.out', Buffer.alloc(size, 'c'))
    core.publish('interop.out', bytes('x'), '', block)
    for (const size of sizes) stock.publish('interop.in', Buffer.alloc(size, 's'))
    const withHead = headers()
    withHead.set('A', 'b')
    stock.publish('interop.in', bytes('y'), { headers: withHead })
    await waitUntil('both', () => atStock.length === 6 && atCore.length === 6)
    expect(atStock).toEqual([...sizes, 1])
    expect(heads).toEqual(['', '', '', '', '', 'b'])
    expect(atCore.map(({ data }) => data.length)).toEqual([...sizes, 1])
    expect(atCore.every(({ data }) => data.every((byte) => byte === 0x73 || byte === 0x79))).toBe(
      true,
    )
  })

  test('of 8 MiB pass both ways where the server takes them', async () => {
    await using large = await startConfiguredNats('max_payload: 8MB')
    using a = open({ servers: local(large.port) })
    using b = open({ servers: local(large.port) })
    const seen: CoreMessage[] = []
    b.subscribe('large', { onMessage: (message) => seen.push(message) })
    await Promise.all([a.whenUp(5_000), b.whenUp(5_000)])
    const data = Buffer.alloc(8 * 1024 * 1024, '0123456789')
    for (let turn = 0; turn < 3; turn++) {
      a.publish('large', bytes('before'))
      a.publish('large', data)
      a.publish('large', bytes('after'))
    }
    await waitUntil('all there', () => seen.length === 9)
    expect(seen.filter((message) => data.equals(message.data))).toHaveLength(3)
    expect(a.maxPayload()).toBe(data.length)
  })

  test('over the limit of the server are refused here, and the connection goes on', async () => {
    using core = open(nats.access)
    await core.whenUp(5_000)
    const bytesMax = core.maxPayload()
    expect(bytesMax).toBe(1_048_576)
    const publish = (size: number, head?: Uint8Array) =>
      core.publish('limit', Buffer.alloc(size), '', head)
    expect(() => publish(bytesMax + 1)).toThrow(
      expect.objectContaining({ code: 'resource-exhausted' }),
    )
    expect(() => publish(bytesMax, bytes('NATS/1.0\r\n\r\n'))).toThrow('raise max_payload')
    publish(bytesMax)
    await core.flush()
    expect(core.told).toEqual(['up'])
  })

  test('that nobody listens for come back with status 503', async () => {
    using core = open(nats.access)
    const seen: CoreMessage[] = []
    core.subscribe('_INBOX.core.*', { onMessage: (message) => seen.push(message) })
    await core.whenUp(5_000)
    core.publish('nobody.here', bytes('x'), '_INBOX.core.7')
    await waitUntil('bounced', () => seen.length === 1)
    expect(seen[0]).toMatchObject({ subject: '_INBOX.core.7', status: 503 })
    expect(seen[0]?.data).toHaveLength(0)
  })

  test('are the receiver’s own: what comes later does not change them', async () => {
    using core = open(nats.access)
    const seen: Uint8Array[] = []
    core.subscribe('own', { onMessage: ({ data }) => seen.push(data) })
    await core.whenUp(5_000)
    for (let index = 0; index < 2_000; index++) {
      core.publish('own', Buffer.alloc(100, String(index % 10)))
      if (index % 50 === 0) await core.flush()
    }
    await waitUntil('all there', () => seen.length === 2_000)
    const isWhole = (data: Uint8Array, index: number) =>
      data.every((byte) => byte === 0x30 + (index % 10))
    expect(seen.every(isWhole)).toBe(true)
  })

  test('of one turn of the event loop are one write to the server', async () => {
    const { startFakeServer } = await import('./testing/fake-server.ts')
    await using server = await startFakeServer()
    using core = open(server.access)
    await core.whenUp(5_000)
    const chunks: number[] = []
    server.clients[0]?.socket.on('data', (chunk: Buffer) => chunks.push(chunk.length))
    for (let index = 0; index < 100; index++) core.publish('turn', bytes('0123456789'))
    await core.flush()
    expect(chunks).toEqual([100 * 'PUB turn 10\r\n0123456789\r\n'.length + 'PING\r\n'.length])
  })
})

describe('subscriptions', () => {
  test('with the same queue share the messages', async () => {
    using core = open(nats.access)
    const counts = [0, 0, 0]
    for (const index of [0, 1])
      core.subscribe('shared', { queue: 'q', onMessage: () => void counts[index]!++ })
    core.subscribe('shared', { onMessage: () => void counts[2]!++ })
    await core.whenUp(5_000)
    for (let index = 0; index < 200; index++) core.publish('shared', bytes('x'))
    await waitUntil('all there', () => counts[2] === 200 && counts[0]! + counts[1]! === 200)
    expect(Math.min(...counts)).toBeGreaterThan(0)
  })

  test('get nothing after their end, also when they end themselves', async () => {
    using core = open(nats.access)
    let seen = 0
    const subscription = core.subscribe('ending', {
      onMessage() {
        seen++
        if (seen === 3) subscription.unsubscribe()
      },
    })
    await core.whenUp(5_000)
    for (let index = 0; index < 10; index++) core.publish('ending', bytes('x'))
    await core.flush()
    await core.flush()
    expect(seen).toBe(3)
    subscription.unsubscribe()
    await core.flush()
    expect(core.errors).toEqual([])
  })

  test('that throw are reported, and get the next message all the same', async () => {
    using core = open(nats.access)
    let seen = 0
    core.subscribe('throwing', {
      onMessage() {
        seen++
        throw new Error(`number ${seen}`)
      },
    })
    await core.whenUp(5_000)
    core.publish('throwing', bytes('x'))
    core.publish('throwing', bytes('x'))
    await waitUntil('both', () => seen === 2)
    expect(core.errors).toEqual([
      expect.objectContaining({ code: 'internal', details: { subject: 'throwing' } }),
      expect.objectContaining({ message: expect.stringContaining('number 2') }),
    ])
    expect(core.isUp()).toBe(true)
  })

  test('drained under load lose nothing that the server gave them', async () => {
    const stock = await nats.connect()
    using core = open(nats.access)
    await core.whenUp(5_000)
    // One of a queue leaves: the others get what it does not.
    let leaving = 0
    let staying = 0
    const subscription = core.subscribe('drained', { queue: 'q', onMessage: () => void leaving++ })
    await core.flush()
    core.subscribe('drained', { queue: 'q', onMessage: () => void staying++ })
    await core.flush()
    let sent = 0
    let isOver = false
    const load = async () => {
      while (!isOver) {
        for (let index = 0; index < 200; index++, sent++) stock.publish('drained', bytes('x'))
        await stock.flush()
      }
    }
    const loading = load()
    await waitUntil('under load', () => leaving > 1_000)
    await subscription.drain()
    const atDrain = leaving
    isOver = true
    await loading
    await core.flush()
    expect(leaving).toBe(atDrain)
    expect(leaving + staying).toBe(sent)
    await subscription.drain()
  })

  test('are all drained by the connection, which still publishes', async () => {
    using core = open(nats.access)
    using other = open(nats.access)
    const answers: string[] = []
    other.subscribe('answers', { onMessage: (message) => answers.push(textOf(message)) })
    await Promise.all([core.whenUp(5_000), other.whenUp(5_000)])
    let seen = 0
    core.subscribe('work', {
      onMessage() {
        seen++
        core.publish('answers', bytes(`${seen}`))
      },
    })
    await core.flush()
    await other.flush()
    for (let index = 0; index < 5_000; index++) other.publish('work', bytes('x'))
    await other.flush()
    await core.drain()
    expect(seen).toBe(5_000)
    core.publish('answers', bytes('last'))
    await core.flush()
    await other.flush()
    expect(answers).toHaveLength(5_001)
    expect(answers.at(-1)).toBe('last')
  })

  test.each(['', 'a b', 'a\r\nPUB b 0', 'ü'])('refuse the subject %j', (subject) => {
    using core = open(nats.access)
    const onMessage = () => undefined
    expect(() => core.subscribe(subject, { onMessage })).toThrow('visible ASCII')
    if (subject !== '')
      expect(() => core.subscribe('a', { queue: subject, onMessage })).toThrow("queue's name")
  })
})

describe('a server that restarts', () => {
  test('finds the subscriptions in place before the connection says that it is up', async () => {
    await using server = await startNats()
    using core = open(server.access)
    const seen: string[] = []
    core.subscribe('survivor', { onMessage: (message) => seen.push(textOf(message)) })
    const ended = core.subscribe('ended', { onMessage: () => seen.push('never') })
    core.listen({ onUp: () => core.publish('survivor', bytes('hello')) })
    await core.whenUp(5_000)
    ended.unsubscribe()
    await waitUntil('first', () => seen.length === 1)
    for (let turn = 2; turn <= 3; turn++) {
      await server.restart()
      await waitUntil('again', () => seen.length === turn)
    }
    expect(core.told).toEqual(['up', 'down', 'up', 'down', 'up'])
    core.publish('ended', bytes('x'))
    await core.flush()
    expect(seen).toEqual(['hello', 'hello', 'hello'])
  })

  test('ends waiting flushes and drains; what is published meanwhile is lost', async () => {
    await using server = await startNats()
    using core = open(server.access)
    let seen = 0
    const subscription = core.subscribe('a', { onMessage: () => void seen++ })
    await core.whenUp(5_000)
    process.kill(server.pid, 'SIGSTOP')
    const flushed = core.flush().catch((error: unknown) => error)
    const drained = subscription.drain()
    // Looked at when it is lost: it may be back before the restart is over.
    const whileDown: unknown[] = []
    core.listen({
      onDown() {
        whileDown.push(core.isUp())
        core.publish('a', bytes('lost'))
        whileDown.push(core.flush().catch((error: unknown) => error))
      },
    })
    await server.restart()
    expect(await flushed).toMatchObject({ code: 'unavailable' })
    await drained
    expect(await Promise.all(whileDown)).toMatchObject([false, { code: 'unavailable' }])
    await core.whenUp(5_000)
    core.publish('a', bytes('nobody'))
    await core.flush()
    expect(seen).toBe(0)
  })
})

describe('a server that an operator stops', () => {
  test('is left for another one before it ends', async () => {
    const config = 'lame_duck_duration: 30s, lame_duck_grace_period: 10s'
    await using one = await startConfiguredNats(config)
    await using two = await startConfiguredNats(config)
    using core = open({ servers: [...local(one.port), ...local(two.port)] })
    // Whichever it is on, it comes to the other one.
    let seen = 0
    core.subscribe('anywhere', { onMessage: () => void seen++ })
    await core.whenUp(5_000)
    one.lameDuck()
    await core.flush().catch(() => undefined)
    const stock = await connectNats({ servers: local(two.port), user: '', password: '' }, 'other')
    await waitUntil('it is there', () => {
      stock.publish('anywhere')
      return seen > 0
    })
    await stock.close()
  })
})

describe('credentials', () => {
  const config = (password: string) => `
    authorization {
      users = [
        { user: good, password: "${password}", permissions: { publish: "may.>", subscribe: ["may.>", "_INBOX.>"] } }
      ]
    }`

  test('that are good let in, within their permissions', async () => {
    await using server = await startConfiguredNats(config('p"ä'.replace('"', '')))
    using core = open({ servers: local(server.port), user: 'good', password: 'pä' })
    const seen: string[] = []
    core.subscribe('may.see', { onMessage: (message) => seen.push(textOf(message)) })
    core.subscribe('must.not', { onMessage: () => seen.push('never') })
    await core.whenUp(5_000)
    core.publish('must.not', bytes('x'))
    core.publish('may.see', bytes('y'))
    await waitUntil('the rest works', () => seen.length === 1)
    await waitUntil('both are reported', () => core.errors.length === 2)
    expect(core.errors).toEqual([
      expect.objectContaining({
        code: 'permission-denied',
        details: { operation: 'subscription', subject: 'must.not' },
      }),
      expect.objectContaining({
        code: 'permission-denied',
        details: { operation: 'publish', subject: 'must.not' },
      }),
    ])
    expect(core.told).toEqual(['up'])
  })

  test('that are refused twice end it for good', async () => {
    await using server = await startConfiguredNats(config('right'))
    using core = open({ servers: local(server.port), user: 'good', password: 'wrong' })
    await expect(core.whenUp(5_000)).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(core.told).toEqual(['lost: unauthenticated'])
    await expect(core.whenUp(5_000)).rejects.toMatchObject({ code: 'unauthenticated' })
    await expect(core.flush()).rejects.toMatchObject({ code: 'unauthenticated' })
    core.publish('a', bytes('x'))
  })

  test('that are withdrawn end it for good', async () => {
    await using server = await startConfiguredNats(config('right'))
    using core = open({ servers: local(server.port), user: 'good', password: 'right' })
    await core.whenUp(5_000)
    await server.reload(config('changed'))
    await waitUntil('lost', () => core.told.includes('lost: unauthenticated'))
    expect(core.told).toEqual(['up', 'down', 'lost: unauthenticated'])
  })
})

describe('the end', () => {
  test('comes after what was published', async () => {
    const stock = await nats.connect()
    let seen = 0
    stock.subscribe('last.words', { callback: () => void seen++ })
    await stock.flush()
    using core = open(nats.access)
    await core.whenUp(5_000)
    for (let index = 0; index < 1_000; index++) core.publish('last.words', Buffer.alloc(1_000))
    core.close()
    expect(core.isUp()).toBe(false)
    await waitUntil('all there', () => seen === 1_000)
    core.close()
    core.publish('last.words', bytes('too late'))
    await expect(core.flush()).rejects.toMatchObject({ code: 'cancelled' })
    expect(core.told).toEqual(['up'])
  })

  test('before the first connection ends the waiting for it', async () => {
    using core = open(nats.access)
    const waiting = core.whenUp(5_000)
    core.close()
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    expect(core.told).toEqual([])
  })
})
