import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitUntil } from '@kre/service-kit'
import { type CoreOptions, openCoreConnection } from './core-connection.ts'
import { type FakeClient, infoLine, startFakeServer, welcome } from './testing/fake-server.ts'

/** Of a user that nothing trusts. */
const SEED = 'SUAOMSEQJCSPOLM74ARXDU72VFCWMGAE2XPDHZJCRV7DXRHLKL7ARG7MIM'
const LIFE_MS = 300

let path: string
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'kre-hand-over-')), 'nats.json')
})
afterEach(() => rmSync(join(path, '..'), { recursive: true }))

/** A connection whose next credentials are there already, and what it told. */
async function open(
  behave: (client: FakeClient, index: number) => void,
  options: CoreOptions = {},
) {
  const server = await startFakeServer(behave)
  const credentials = { jwt: 'first', seed: SEED, expiresUnixMs: Date.now() + LIFE_MS }
  const access = { ...server.access, credentials: { ...credentials, renewalPath: path } }
  const connection = openCoreConnection(access, 'test', options)
  const told: string[] = []
  connection.listen({
    onUp: () => told.push('up'),
    onDown: () => told.push('down'),
    onRenewed: () => told.push('renewed'),
    onLost: () => told.push('lost'),
    onError: (error) => told.push(error.code),
  })
  await connection.whenUp(5_000)
  const next = { ...credentials, jwt: 'second', expiresUnixMs: Date.now() + 60_000 }
  writeFileSync(path, JSON.stringify(next))
  return {
    ...connection,
    clients: server.clients,
    told,
    async [Symbol.asyncDispose]() {
      connection.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** Answers no ping after the greeting, so that the hand-over waits. */
function mute(client: FakeClient): void {
  client.send(infoLine())
  client.socket.once('data', () => client.send('PONG\r\n'))
}

describe('going over to newer credentials', () => {
  test('moves subscriptions, and what is published, in this order', async () => {
    await using connection = await open((client) => welcome(client))
    connection.subscribe('a', { queue: 'q', onMessage: () => undefined })
    await waitUntil('the renewal', () => connection.told.includes('renewed'))
    const [former, next] = connection.clients
    expect(former?.sent).toContain('"jwt":"first"')
    expect(next?.sent).toContain('"jwt":"second"')
    expect(next?.sent).toContain('SUB a q 1')
    await waitUntil('the end of the former', () => former?.socket.destroyed === true)
    expect(former?.sent).toContain('UNSUB 1')
    connection.publish('b', Buffer.from('x'))
    await connection.flush()
    expect(next?.sent).toContain('PUB b 1')
    expect(connection.told).toEqual(['up', 'renewed'])
  })

  test('holds what is published, and what comes, until the former connection has said all', async () => {
    await using connection = await open((client, index) => (index === 0 ? mute : welcome)(client))
    const seen: string[] = []
    connection.subscribe('a', {
      onMessage: ({ data }) => void seen.push(Buffer.from(data).toString()),
    })
    const former = connection.clients[0]
    await waitUntil('the hand-over', () => former?.sent.includes('UNSUB'))
    const bytes = Buffer.from('held')
    connection.publish('b', bytes)
    bytes.fill('!')
    expect(() => connection.publish('no subject', bytes)).toThrow('visible ASCII')
    const flushed = connection.flush()
    connection.clients[1]?.send('MSG a 1 6\r\nsecond\r\n')
    former?.send('MSG a 1 5\r\nfirst\r\n')
    await waitUntil('the first', () => seen.length === 1)
    former?.send('PONG\r\n')
    await flushed
    expect(seen).toEqual(['first', 'second'])
    expect(connection.clients[1]?.sent).toContain('PUB b 4\r\nheld')
    expect(former?.sent).not.toContain('PUB')
  })

  test('subscribes at the next connection alone meanwhile: the former one is about to end', async () => {
    await using connection = await open((client, index) => (index === 0 ? mute : welcome)(client))
    connection.subscribe('a', { onMessage: () => undefined })
    const [former] = connection.clients
    await waitUntil('the hand-over', () => former?.sent.includes('UNSUB'))
    connection.subscribe('b', { queue: 'q', onMessage: () => undefined })
    await waitUntil('it is there', () => connection.clients[1]?.sent.includes('SUB b q 2'))
    former?.send('PONG\r\n')
    await waitUntil('the end of the former', () => former?.socket.destroyed === true)
    expect(former?.sent).not.toContain('SUB b')
  })

  test('takes what the former connection brings behind its last answer', async () => {
    await using connection = await open((client) => welcome(client))
    const seen: string[] = []
    connection.subscribe('a', {
      queue: 'q',
      onMessage: ({ data }) => void seen.push(Buffer.from(data).toString()),
    })
    await waitUntil('the renewal', () => connection.told.includes('renewed'))
    connection.clients[0]?.send('MSG a 1 4\r\nlate\r\n')
    await waitUntil('the late one', () => seen.length > 0)
    expect(seen).toEqual(['late'])
    expect(connection.told).toEqual(['up', 'renewed'])
  })

  test('says that something may be lost when the former connection dies meanwhile', async () => {
    await using connection = await open((client, index) => (index === 0 ? mute : welcome)(client))
    connection.subscribe('a', { onMessage: () => undefined })
    await waitUntil('the hand-over', () => connection.clients[0]?.sent.includes('UNSUB'))
    connection.clients[0]?.socket.destroy()
    await waitUntil('the news', () => connection.told.length === 4)
    expect(connection.told).toEqual(['up', 'renewed', 'down', 'up'])
    expect(connection.isUp()).toBe(true)
  })

  test('ends a former connection that says nothing, so that it sends nothing later', async () => {
    await using connection = await open((client, index) => (index === 0 ? mute : welcome)(client), {
      waitingBytesMax: 4,
    })
    const seen: string[] = []
    connection.subscribe('a', {
      onMessage: ({ data }) => void seen.push(Buffer.from(data).toString()),
    })
    const former = connection.clients[0]
    await waitUntil('the hand-over', () => former?.sent.includes('UNSUB'))
    connection.clients[1]?.send('MSG a 1 5\r\nlarge\r\n')
    await waitUntil('the news', () => connection.told.length === 4)
    former?.send('MSG a 1 4\r\nlate\r\n')
    await waitUntil('its end', () => former?.socket.destroyed === true)
    expect(seen).toEqual(['large'])
    expect(connection.told).toEqual(['up', 'renewed', 'down', 'up'])
  })

  test('begins anew when the next connection dies meanwhile', async () => {
    await using connection = await open((client, index) => (index === 0 ? mute : welcome)(client))
    connection.subscribe('a', { onMessage: () => undefined })
    await waitUntil('the hand-over', () => connection.clients[0]?.sent.includes('UNSUB'))
    connection.clients[1]?.socket.destroy()
    await waitUntil(
      'another connection',
      () => connection.told.includes('down') && connection.isUp(),
    )
    expect(connection.clients[2]?.sent).toContain('SUB a 1')
  })

  test('is tried again when the next connection came to nothing', async () => {
    await using connection = await open(
      (client, index) => (index === 1 ? client.socket.destroy() : welcome(client)),
      { connectTimeoutMs: 500 },
    )
    await waitUntil('the renewal', () => connection.told.includes('renewed'))
    expect(connection.clients[2]?.sent).toContain('"jwt":"second"')
    expect(connection.told).toEqual(['up', 'unavailable', 'renewed'])
  })

  test('stays where it is when the next connection is refused', async () => {
    await using connection = await open((client, index) => {
      if (index === 0) return welcome(client)
      client.send(infoLine())
      client.socket.once('data', () => client.send("-ERR 'Authorization Violation'\r\n"))
    })
    await waitUntil('the refusal', () => connection.told.includes('unauthenticated'))
    expect(connection.isUp()).toBe(true)
    await connection.flush()
    expect(connection.told).not.toContain('lost')
  })
})

test('a subscription that is drained takes what comes behind the last answer of the server', async () => {
  await using server = await startFakeServer((client) => {
    welcome(client)
    let isSent = false
    client.socket.on('data', (chunk) => {
      if (isSent || !String(chunk).includes('UNSUB')) return
      isSent = true
      setImmediate(() => client.send('MSG a 1 4\r\nlate\r\n'))
    })
  })
  const connection = openCoreConnection(server.access, 'test')
  const seen: string[] = []
  const onMessage = ({ data }: { data: Uint8Array }) => void seen.push(Buffer.from(data).toString())
  const subscription = connection.subscribe('a', { queue: 'q', onMessage })
  await connection.whenUp(5_000)
  await subscription.drain()
  expect(seen).toEqual(['late'])
  server.clients[0]?.send('MSG a 1 5\r\nlater\r\n')
  await connection.flush()
  expect(seen).toEqual(['late'])
  connection.close()
})
