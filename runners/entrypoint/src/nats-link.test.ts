import { describe, expect, test } from '@jest/globals'
import { startFakeServer, welcome } from '@kre/core-nats/testing'
import { waitUntil } from '@kre/service-kit'
import { startNats } from '@kre/service-kit/testing'
import type { NatsAccess } from '@kre/contracts'
import { createNatsLink } from './nats-link.ts'

/** A link that is closed with the test, and what it told. */
function open(access: NatsAccess) {
  const link = createNatsLink(access, 'test')
  const told: string[] = []
  const connected = link.connect({
    onUp: () => told.push('up'),
    onDown: () => told.push('down'),
    onFailed: () => undefined,
    onStoresBack: () => told.push('stores back'),
    onLost: () => told.push('lost'),
    onError: (error) => told.push(error.message),
  })
  return { ...link, told, connected, [Symbol.asyncDispose]: () => link.close() }
}

describe('the link to NATS', () => {
  test('is up with its subscriptions in place before the stock connection is given out', async () => {
    await using nats = await startNats()
    await using link = open(nats.access)
    const seen: string[] = []
    const unsubscribe = link.subscribe('a', ({ data }) => seen.push(Buffer.from(data).toString()))
    expect(link.isUp()).toBe(false)
    expect(link.payloadBytesMax()).toBe(0)
    const stock = await link.connected
    expect(link.isUp()).toBe(true)
    expect(link.told).toEqual(['up'])
    expect(link.payloadBytesMax()).toBe(1_048_576)
    stock?.publish('a', 'from the stock connection')
    expect(link.publish('a', Buffer.from('from the link'))).toBe(true)
    await waitUntil('both', () => seen.length === 2)
    unsubscribe()
    link.publish('a', Buffer.from('x'))
    await stock?.flush()
    expect(seen).toHaveLength(2)
  })

  test('tells when requests may go again, and when buckets can be read again', async () => {
    await using nats = await startNats()
    await using link = open(nats.access)
    await link.connected
    await nats.restart()
    await waitUntil('all back', () => link.told.length === 4)
    expect(link.told.filter((what) => what !== 'stores back')).toEqual(['up', 'down', 'up'])
  })

  test('says no to a message that NATS does not take, and goes on', async () => {
    await using nats = await startNats()
    await using link = open(nats.access)
    await link.connected
    expect(link.publish('a', Buffer.alloc(link.payloadBytesMax() + 1))).toBe(false)
    expect(link.publish('a', Buffer.alloc(link.payloadBytesMax()))).toBe(true)
    expect(link.told).toEqual(['up'])
  })

  test('says no while too much waits for a server that does not read', async () => {
    await using server = await startFakeServer((client) => {
      welcome(client)
      client.socket.on('data', () => {
        if (client.sent.includes('PUB ')) client.socket.pause()
      })
    })
    await using link = open(server.access)
    await link.connected
    const data = Buffer.alloc(1_048_576)
    for (let count = 0; link.publish('a', data); count++) {
      expect(count).toBeLessThan(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(link.isUp()).toBe(true)
  })

  test('can be closed before there is any connection', async () => {
    const link = open({ servers: ['127.0.0.1:1'], user: '', password: '' })
    await link.close()
    expect(await link.connected).toBeNull()
    expect(link.told).toEqual([])
  })
})
