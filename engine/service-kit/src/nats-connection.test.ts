/** TLS of the stock client, with real servers, and with peers that do what they should not. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { NatsAccess, NatsTls } from '@kre/contracts'
import type { NatsConnection } from '@nats-io/transport-node'
import { connectNats } from './nats-connection.ts'
import { makeAuthority, startNats, tlsConfig, type TestNats } from './testing/index.ts'
import { waitUntil } from './wait-until.ts'

const authority = makeAuthority()
const stranger = makeAuthority('stranger')
const access = (port: number, tls?: NatsTls): NatsAccess => ({
  servers: [`127.0.0.1:${port}`],
  user: '',
  password: '',
  ...(tls === undefined ? {} : { tls }),
})

async function roundTrip(nats: NatsConnection): Promise<string> {
  const subscription = nats.subscribe('a', { max: 1 })
  nats.publish('a', 'over TLS')
  for await (const message of subscription) return message.string()
  return ''
}

/** A peer at a port of its own. */
async function startPeer(behave: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    behave(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
const info = (fields: object) =>
  `INFO ${JSON.stringify({ server_id: 'x', version: '2.15.0', proto: 1, max_payload: 1_000, headers: true, ...fields })}\r\n`

describe('the stock client and a server that wants TLS', () => {
  let nats: TestNats
  beforeAll(async () => {
    nats = await startNats((dir) => tlsConfig(dir, authority, { clients: stranger }))
  })
  afterAll(async () => nats[Symbol.asyncDispose]())

  test('understand each other, with certificates of both', async () => {
    const tls = { ca: authority.ca, ...stranger.issue('engine') }
    const connection = await connectNats(access(nats.port, tls), 'test')
    expect(await roundTrip(connection)).toBe('over TLS')
    await connection.close()
  })

  test('find together with newer certificates, which are asked for before each try', async () => {
    let tls: NatsTls = { ca: stranger.ca }
    let asked = 0
    const connecting = connectNats(() => {
      asked++
      return access(nats.port, tls)
    }, 'test')
    await waitUntil('some tries', () => asked > 4)
    tls = { ca: authority.ca, ...stranger.issue('engine') }
    const connection = await connecting
    expect(await roundTrip(connection)).toBe('over TLS')
    await connection.close()
  })
})

test.each([
  ['handshake_first: true', { handshakeFirst: true }, ['127.0.0.1']],
  ['', { serverName: 'nats.example.com' }, ['nats.example.com']],
])('the stock client finds a server with %s by %j', async (lines, tls, names) => {
  await using nats = await startNats((dir) => tlsConfig(dir, authority, { lines, names }))
  const connection = await connectNats(access(nats.port, { ca: authority.ca, ...tls }), 'test')
  expect(await roundTrip(connection)).toBe('over TLS')
  await connection.close()
})

test('the stock client trusts an authority that another one vouches for', async () => {
  const below = authority.under('below')
  await using nats = await startNats((dir) => tlsConfig(dir, below))
  const connection = await connectNats(access(nats.port, { ca: below.ca }), 'test')
  expect(await roundTrip(connection)).toBe('over TLS')
  await connection.close()
})

const context = createSecureContext(authority.issue('server', { names: ['127.0.0.1'] }))

/** As a server with TLS, which answers a subscription to `a` with a message. */
function serveTls(socket: Socket, behindGreeting = ''): void {
  socket.write(info({ tls_required: true }) + behindGreeting)
  const secured = new TLSSocket(socket, { isServer: true, secureContext: context })
  secured.on('error', () => undefined)
  secured.on('data', (chunk) => {
    for (const line of String(chunk).split('\r\n')) {
      if (line === 'PING') secured.write('PONG\r\n')
      const sid = /^SUB a (\d+)$/.exec(line)?.[1]
      if (sid !== undefined) secured.write(`MSG a ${sid} 4\r\ngood\r\n`)
    }
  })
}

test('the stock client tells nothing to a peer without TLS, when TLS is demanded', async () => {
  let heard = ''
  await using peer = await startPeer((socket) => {
    if (peer.connections() > 3) return serveTls(socket)
    socket.write(info({}))
    socket.on('data', (chunk) => (heard += String(chunk)))
  })
  const connection = await connectNats(access(peer.port, { ca: authority.ca }), 'test')
  expect(heard).toBe('')
  await connection.close()
})

test('the stock client drops plain text that comes before the handshake', async () => {
  const evil = `${info({ max_payload: 7 })}+OK\r\nMSG a 1 4\r\nevil\r\nMSG a 2 4\r\nevil\r\n`
  await using peer = await startPeer((socket) => serveTls(socket, evil))
  const connection = await connectNats(access(peer.port, { ca: authority.ca }), 'test')
  const seen: string[] = []
  connection.subscribe('a', { callback: (_, message) => void seen.push(message.string()) })
  await waitUntil('the message', () => seen.length > 0)
  await connection.flush()
  expect(connection.info?.max_payload).toBe(1_000)
  expect(seen).toEqual(['good'])
  await connection.close()
})
