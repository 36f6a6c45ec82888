import { describe, expect, test } from '@jest/globals'
import type { NatsTls } from '@kre/contracts'
import { makeAuthority, startNats, tlsConfig, type TlsServerOptions } from '../testing/index.ts'
import { lookAtNats } from './look-at-nats.ts'

const authority = makeAuthority()
const stranger = makeAuthority('stranger')
const trusting: NatsTls = { ca: authority.ca }

const look = async (port: number, tls: NatsTls | null, timeoutMs?: number) =>
  lookAtNats(`tls://127.0.0.1:${port}`, tls, timeoutMs).then(
    (found) => found,
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  )

describe('a look at a server', () => {
  test('without TLS says so, and that TLS was demanded', async () => {
    await using nats = await startNats()
    const found = await look(nats.port, null)
    expect(found).toEqual({
      address: `127.0.0.1:${nats.port}`,
      version: expect.stringMatching(/^\d/),
      tls: null,
    })
    expect(await look(nats.port, trusting)).toMatch(/^failed-precondition: .*offers no TLS/)
    expect(await look(nats.port, { ...trusting, handshakeFirst: true })).toMatch(
      /^failed-precondition: .*answers the handshake of TLS with something else/,
    )
  })

  test('with TLS says whom its certificate is for, and until when', async () => {
    await using nats = await startNats((dir) => tlsConfig(dir, authority))
    expect(await look(nats.port, trusting)).toMatchObject({
      tls: {
        protocol: 'TLSv1.3',
        subject: 'IP Address:127.0.0.1',
        validTo: expect.stringMatching(/^20.*Z$/),
      },
    })
    expect(await look(nats.port, null)).toMatch(/nobody trusted here vouches for/)
    expect(await look(nats.port, { ...trusting, serverName: 'other' })).toMatch(/for other names/)
  })

  test('takes the word of an authority that another one vouches for', async () => {
    const below = authority.under('below')
    await using nats = await startNats((dir) => tlsConfig(dir, below))
    expect(await look(nats.port, { ca: below.ca })).toMatchObject({ tls: {} })
    expect(await look(nats.port, trusting)).toMatch(/nobody trusted here vouches for/)
  })

  const ask = async (options: TlsServerOptions, tls: NatsTls) => {
    await using nats = await startNats((dir) => tlsConfig(dir, authority, options))
    return await look(nats.port, tls, 1_000)
  }
  test('that has handshake_first says so', async () => {
    const lines = { lines: 'handshake_first: true' }
    expect(await ask(lines, trusting)).toMatch(/says nothing.*KRE_NATS_TLS_HANDSHAKE_FIRST=true/)
    expect(await ask(lines, { ...trusting, handshakeFirst: true })).toMatchObject({ tls: {} })
  })

  test('that wants certificates of clients says so, also of a wrong one', async () => {
    const clients = { clients: stranger }
    expect(await ask(clients, trusting)).toMatch(/set KRE_NATS_TLS_CERT_FILE/)
    expect(await ask(clients, { ...trusting, ...authority.issue('engine') })).toMatch(
      /wants a certificate of its clients, and gets none that it takes/,
    )
    expect(await ask(clients, { ...trusting, ...stranger.issue('engine') })).toMatchObject({
      tls: {},
    })
  })

  test('whose certificate has expired says so', async () => {
    expect(await ask({ toMs: -1_000 }, trusting)).toMatch(/has expired: renew it there/)
  })
})

test('a look at nobody is no answer about TLS', async () => {
  expect(await look(1, trusting)).toMatch(/^unavailable: .*can't be reached/)
  await expect(lookAtNats('tls://', null)).rejects.toMatchObject({ code: 'invalid-argument' })
})
