/** TLS of the connection for requests: real servers, and peers that do what they should not. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext, TLSSocket } from 'node:tls'
import { MiB, type NatsTls } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { makeAuthority, startNats, tlsConfig, type TestNats } from '@kre/service-kit/testing'
import { type CoreConnection, type CoreOptions, openCoreConnection } from './core-connection.ts'
import { type FakeClient, infoLine, startFakeServer, welcome } from './testing/fake-server.ts'

const authority = makeAuthority()
const stranger = makeAuthority('stranger')
const own = authority.issue('server', { names: ['127.0.0.1'] })
const trusting: NatsTls = { ca: authority.ca }

type Opened = CoreConnection & Disposable & { told: string[] }
function open(servers: readonly string[], tls?: NatsTls, options: CoreOptions = {}): Opened {
  const login = { servers: [...servers], user: 'me', password: 'secret' }
  const access = tls === undefined ? login : { ...login, tls }
  const connection = openCoreConnection(access, 'test', options)
  const told: string[] = []
  connection.listen({
    onUp: () => told.push('up'),
    onDown: () => told.push('down'),
    onError: () => undefined,
  })
  return { ...connection, told, [Symbol.dispose]: () => connection.close() }
}
const refusal = async (connection: CoreConnection) =>
  connection.whenUp(600).then(
    () => 'it is up',
    (error: Error) => error.message,
  )

/** Speaks TLS as a server, over the client's socket. */
function secure(client: FakeClient): TLSSocket {
  const socket = new TLSSocket(client.socket, {
    isServer: true,
    secureContext: createSecureContext(own),
  })
  socket.on('error', () => undefined)
  return socket
}

describe('a server that wants TLS', () => {
  let nats: TestNats
  beforeAll(async () => {
    nats = await startNats((dir) => tlsConfig(dir, authority))
  })
  afterAll(async () => nats[Symbol.asyncDispose]())

  test('gets it, for messages of any size', async () => {
    using core = open(nats.access.servers, trusting)
    const seen: Uint8Array[] = []
    core.subscribe('secret', { onMessage: ({ data }) => seen.push(data) })
    await core.whenUp(5_000)
    const sizes = [0, 10, 65_536, 200_000, 1_000_000]
    for (const size of sizes) core.publish('secret', Buffer.alloc(size, size % 251))
    await waitUntil('all', () => seen.length === sizes.length)
    expect(seen.map(({ length }) => length)).toEqual(sizes)
    seen.forEach((data, at) =>
      expect(data.every((byte) => byte === (sizes[at] ?? 0) % 251)).toBe(true),
    )
    await core.drain()
  })

  test('is connected to again when it was away', async () => {
    using core = open(nats.access.servers, trusting)
    await core.whenUp(5_000)
    await nats.restart()
    await waitUntil('again', () => core.told.length === 3)
    await core.flush()
    expect(core.told).toEqual(['up', 'down', 'up'])
  })

  test('is left when nobody trusted vouches for it, and the reason says what to give', async () => {
    using core = open(nats.access.servers, { ca: stranger.ca })
    expect(await refusal(core)).toMatch(/nobody trusted here vouches for.*KRE_NATS_TLS_CA_FILE/)
    using without = open(nats.access.servers)
    expect(await refusal(without)).toMatch(/nobody trusted here vouches for.*KRE_NATS_TLS_CA_FILE/)
    expect([...core.told, ...without.told]).toEqual([])
  })

  test('tells each reason once, however often it is tried', async () => {
    const core = openCoreConnection(
      { servers: nats.access.servers, user: '', password: '', tls: { ca: stranger.ca } },
      'test',
    )
    const failures: string[] = []
    let isOver = false
    core.listen({ onFailed: ({ message }) => failures.push(message) })
    void core.whenUp(1_000).catch(() => (isOver = true))
    await waitUntil('some tries', () => isOver)
    expect(failures).toEqual([expect.stringMatching(/nobody trusted here vouches for/)])
    core.close()
  })

  test('is left when it has another name', async () => {
    using core = open(nats.access.servers, { ...trusting, serverName: 'nats.example.com' })
    expect(await refusal(core)).toMatch(/certificate for other names.*KRE_NATS_TLS_SERVER_NAME/)
  })

  test('and has a greeting first is left by who begins with the handshake', async () => {
    using core = open(nats.access.servers, { ...trusting, handshakeFirst: true })
    expect(await refusal(core)).toMatch(/leave KRE_NATS_TLS_HANDSHAKE_FIRST out/)
  })

  test('is not reached with certificates that are none, and the process lives', async () => {
    for (const damaged of [
      { ca: 'no PEM', cert: 'no PEM', key: 'no PEM' },
      { ...trusting, ...own, key: stranger.issue('other').key },
      { ...trusting, ...own, key: stranger.issue('other').key, handshakeFirst: true },
    ]) {
      using core = open(nats.access.servers, damaged)
      expect(await refusal(core)).toMatch(/certificates or the key .* can't be read/)
    }
  })
})

test('a server is trusted whose authority another one vouches for', async () => {
  const below = authority.under('below')
  await using nats = await startNats((dir) => tlsConfig(dir, below))
  using core = open(nats.access.servers, { ca: below.ca })
  await core.whenUp(5_000)
})

describe('a server with other demands', () => {
  const up = async (config: (dir: string) => string, tls: NatsTls) => {
    await using nats = await startNats(config)
    using core = open(nats.access.servers, tls)
    const answer = await refusal(core)
    if (answer === 'it is up') await core.flush()
    return answer
  }

  test.each([
    ['true', true, /it is up/],
    ['"auto"', true, /it is up/],
    ['true', false, /said nothing.*KRE_NATS_TLS_HANDSHAKE_FIRST=true/],
  ])('handshake_first: %s with handshakeFirst %s: %s', async (lines, handshakeFirst, outcome) => {
    await using nats = await startNats((dir) =>
      tlsConfig(dir, authority, { lines: `handshake_first: ${lines}` }),
    )
    using core = open(
      nats.access.servers,
      { ...trusting, handshakeFirst },
      { connectTimeoutMs: 400 },
    )
    expect(await refusal(core)).toMatch(outcome)
  })

  test('takes clients whose certificate it knows, and no others', async () => {
    const config = (dir: string) => tlsConfig(dir, authority, { clients: stranger })
    expect(await up(config, { ...trusting, ...stranger.issue('a node') })).toBe('it is up')
    expect(await up(config, trusting)).toMatch(/KRE_NATS_TLS_VERSIONS_CERT_FILE/)
    expect(await up(config, { ...trusting, ...own })).toMatch(/wants a certificate of its clients/)
  })

  test('is found by the name that its certificate has, in place of that of its address', async () => {
    const config = (dir: string) => tlsConfig(dir, authority, { names: ['nats.example.com'] })
    expect(await up(config, { ...trusting, serverName: 'nats.example.com' })).toBe('it is up')
    expect(await up(config, trusting)).toMatch(/certificate for other names/)
  })

  test('is left when its certificate has expired', async () => {
    const config = (dir: string) => tlsConfig(dir, authority, { toMs: -1_000 })
    expect(await up(config, trusting)).toMatch(/certificate that has expired/)
  })

  test('without TLS is left by who demands it', async () => {
    expect(await up(() => '', trusting)).toMatch(/offers no TLS, which is demanded/)
  })
})

describe('a peer in the middle', () => {
  test('that takes the offer of TLS out of the greeting learns nothing', async () => {
    await using server = await startFakeServer((client) => welcome(client))
    using core = open(server.access.servers, trusting)
    expect(await refusal(core)).toMatch(/offers no TLS, which is demanded/)
    expect(server.clients.map(({ sent }) => sent).join('')).toBe('')
  })

  test('that demands TLS and goes on in plain text learns nothing, and is not believed', async () => {
    await using server = await startFakeServer((client) => {
      client.send(infoLine({ tls_required: true }))
      client.socket.once('data', () => client.send('PONG\r\nMSG a 1 4\r\nevil\r\n'))
    })
    using core = open(server.access.servers, trusting)
    const seen: unknown[] = []
    core.subscribe('a', { onMessage: (message) => seen.push(message) })
    expect(await refusal(core)).toMatch(/answers the handshake of TLS with something else/)
    expect(seen).toEqual([])
    for (const { sent } of server.clients) expect(sent).not.toMatch(/CONNECT|secret/)
  })

  test('with another certificate learns nothing of who we are', async () => {
    let heard = ''
    const server = await startFakeServer((client) => {
      client.send(infoLine({ tls_required: true }))
      secure(client).on('data', (chunk) => (heard += String(chunk)))
    })
    using core = open(server.access.servers, { ca: stranger.ca })
    expect(await refusal(core)).toMatch(/nobody trusted here vouches for/)
    core.close()
    await server[Symbol.asyncDispose]()
    expect(heard).toBe('')
  })

  test.each([
    ['in the same packet as the greeting', false],
    ['later', true],
  ])('that puts plain text before the handshake, %s, is not heard', async (_, isLater) => {
    const evil = `${infoLine({ max_payload: 7 })}PONG\r\nMSG a 1 4\r\nevil\r\n-ERR 'evil'\r\n`
    await using server = await startFakeServer((client) => {
      client.socket.removeAllListeners('data')
      client.send(infoLine({ tls_required: true }) + (isLater ? '' : evil))
      if (isLater) setImmediate(() => client.send(evil))
      const secured = secure(client)
      let heard = ''
      secured.on('data', (chunk) => {
        heard += String(chunk)
        if (/PING\r\n/.test(String(chunk))) secured.write('PONG\r\nMSG a 1 4\r\ngood\r\n')
      })
    })
    using core = open(server.access.servers, trusting)
    const seen: string[] = []
    core.subscribe('a', { onMessage: ({ data }) => seen.push(Buffer.from(data).toString()) })
    const outcome = await refusal(core)
    // What came before the handshake is dropped, or ends it; it is never taken for the server's word.
    if (isLater) expect(outcome).toMatch(/answers the handshake of TLS with something else|up/)
    else expect(outcome).toBe('it is up')
    expect(core.maxPayload()).not.toBe(7)
    expect(seen.filter((text) => text !== 'good')).toEqual([])
  })

  test('that says nothing in the handshake is left after the time for connecting', async () => {
    await using server = await startFakeServer((client) =>
      client.send(infoLine({ tls_required: true })),
    )
    using core = open(server.access.servers, trusting, { connectTimeoutMs: 50 })
    await waitUntil('another try', () => server.clients.length > 1)
    expect(await refusal(core)).toMatch(/did not welcome this client within 50 ms$/)
    expect(core.told).toEqual([])
  })

  test.each([true, false])(
    'that cuts the connection anywhere harms nobody (handshake first: %s)',
    async (handshakeFirst) => {
      const tries = 40
      await using server = await startFakeServer((client, index) => {
        client.socket.removeAllListeners('data')
        if (!handshakeFirst) client.send(infoLine({ tls_required: true }))
        const secured = secure(client)
        if (handshakeFirst) secured.write(infoLine())
        secured.on('data', () => {
          secured.write('PONG\r\n')
          if (index < tries && index % 4 === 3) client.socket.resetAndDestroy()
        })
        if (index >= tries) return
        // Those that get so far.
        setTimeout(() => client.socket.resetAndDestroy(), 50)
        if (index % 4 === 0) client.socket.resetAndDestroy()
        if (index % 4 === 1) client.socket.once('readable', () => client.socket.resetAndDestroy())
        if (index % 4 === 2) secured.once('secure', () => client.socket.destroy())
      })
      const { servers } = server.access
      // Several at once, or the waits between tries are all there is.
      const all = Array.from({ length: 8 }, () =>
        open(servers, { ...trusting, handshakeFirst }, { connectTimeoutMs: 500 }),
      )
      await waitUntil('all tries', () => server.clients.length > tries)
      await waitUntil('all are up', () => all.every((core) => core.isUp()))
      for (const core of all) core.close()
    },
  )
})

test('what waits for a server that does not read is bounded with TLS, too', async () => {
  await using server = await startFakeServer((client) => {
    client.socket.removeAllListeners('data')
    client.send(infoLine({ tls_required: true }))
    const secured = secure(client)
    secured.once('data', () => {
      secured.write('PONG\r\n')
      secured.pause()
    })
  })
  using core = open(server.access.servers, trusting)
  await core.whenUp(5_000)
  const data = Buffer.alloc(MiB)
  let sent = 0
  const fill = async () => {
    for (; sent < 300; sent++) {
      core.publish('a', data)
      if (sent % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await expect(fill()).rejects.toMatchObject({ code: 'resource-exhausted' })
  expect(sent).toBeGreaterThanOrEqual(63)
})

test('newer certificates are taken from the file of the credentials, by the next connection', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kre-tls-'))
  const renewalPath = join(dir, 'nats.json')
  // The certificate is looked at before the credentials, which this server does not ask for.
  const seed = 'SUAOMSEQJCSPOLM74ARXDU72VFCWMGAE2XPDHZJCRV7DXRHLKL7ARG7MIM'
  const credentials = { jwt: 'first', seed, expiresUnixMs: Date.now() + 60_000, renewalPath }
  await using nats = await startNats((home) => tlsConfig(home, authority))
  const { servers } = nats.access
  const access = { servers, user: '', password: '', credentials, tls: { ca: stranger.ca } }
  const core = openCoreConnection(access, 'test')
  try {
    expect(await refusal(core)).toMatch(/nobody trusted here vouches for/)
    const next = { ...credentials, expiresUnixMs: Date.now() + 120_000, tls: trusting }
    writeFileSync(renewalPath, JSON.stringify(next))
    await core.whenUp(5_000)
  } finally {
    core.close()
    rmSync(dir, { recursive: true })
  }
})
