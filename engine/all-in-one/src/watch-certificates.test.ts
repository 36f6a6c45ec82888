import { expect, test } from '@jest/globals'
import { DAY_MS, HOUR_MS } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { lookAtNats } from '@kre/service-kit/nats-tls'
import { makeAuthority, startNats, tlsConfig } from '@kre/service-kit/testing'
import { watchCertificates } from './watch-certificates.ts'

const authority = makeAuthority()
const tls = () => ({ ca: authority.ca })

test('the end of the certificates is that of the first one to end, and is looked at anew when somebody asks', async () => {
  const soon = await startNats((dir) => tlsConfig(dir, authority, { toMs: HOUR_MS }))
  const late = await startNats((dir) => tlsConfig(dir, authority, { toMs: 9 * DAY_MS }))
  const [first = '', second = ''] = [soon, late].map(({ access }) => access.servers[0])
  let now = 0
  const end = watchCertificates([first, second], tls, await lookAtNats(second, tls()), () => now)
  const days = () => ((end() ?? 0) - Date.now()) / DAY_MS
  expect(days()).toBeGreaterThan(8)
  now += HOUR_MS
  expect(days()).toBeGreaterThan(8)
  await waitUntil('the first one', () => days() < 1)
  // A server that is gone takes nothing back.
  await soon[Symbol.asyncDispose]()
  await late[Symbol.asyncDispose]()
  now += HOUR_MS
  expect(days()).toBeLessThan(1)
})

test('without TLS there is none', async () => {
  await using nats = await startNats()
  const server = nats.access.servers[0] ?? ''
  expect(watchCertificates([server], () => null, await lookAtNats(server, null))()).toBeNull()
})
