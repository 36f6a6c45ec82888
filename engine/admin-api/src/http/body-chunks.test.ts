import { createServer, request, type ClientRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { bodyChunks } from './body-chunks.ts'

const BYTES_MAX = 10
const server = createServer()
let client: ClientRequest
let arrived: IncomingMessage
let unwanted: AbortController

beforeEach(async () => {
  unwanted = new AbortController()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  client.destroy()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

/** Begins a request with the first bytes of its body and reads what comes. */
async function begin(first: string, idleMs = 5_000) {
  const { port } = server.address() as AddressInfo
  client = request({ host: '127.0.0.1', port, method: 'PUT' })
  client.on('error', () => undefined)
  const arrival = once(server, 'request')
  client.write(first)
  ;[arrived] = (await arrival) as [IncomingMessage]
  const tooLarge = () => new Error('too large')
  return bodyChunks(arrived, { bytesMax: BYTES_MAX, idleMs, tooLarge, signal: unwanted.signal })
}

async function readAll(chunks: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const chunk of chunks) text += chunk.toString()
  return text
}

describe('bodyChunks', () => {
  test('takes a body of the largest size', async () => {
    const chunks = await begin('12345')
    client.end('67890')
    expect(await readAll(chunks)).toBe('1234567890')
  })

  test('refuses one byte more', async () => {
    const chunks = await begin('12345')
    client.end('678901')
    await expect(readAll(chunks)).rejects.toThrow('too large')
  })

  test('gives up on a client that falls silent, and leaves the connection open for the answer', async () => {
    const chunks = await begin('1', 20)
    await expect(readAll(chunks)).rejects.toMatchObject({ status: 408, wireCode: 'timeout' })
    expect(arrived.destroyed).toBe(false)
  })

  test('does not count the time its reader takes as silence', async () => {
    const chunks = await begin('1', 1_000)
    expect((await chunks.next()).value?.toString()).toBe('1')
    client.end('2')
    await once(client, 'finish')
    expect((await chunks.next()).value?.toString()).toBe('2')
  })

  test('fails when the client leaves in the middle', async () => {
    const chunks = await begin('1')
    await chunks.next()
    client.destroy()
    await expect(readAll(chunks)).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('ends at once when nobody wants the rest, and listens no longer', async () => {
    const chunks = await begin('1')
    await chunks.next()
    const next = chunks.next()
    unwanted.abort()
    await expect(next).rejects.toMatchObject({ code: 'cancelled' })
    expect(arrived.listenerCount('readable')).toBe(0)
    expect(arrived.destroyed).toBe(false)
  })
})
