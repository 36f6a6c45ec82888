import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { makeAuthority, startNats, tlsConfig } from '@kre/service-kit/testing'
import { checkExternalNats } from './check-external-nats.ts'

test('a NATS of somebody else is looked at, and it is said whether it is spoken to by TLS', async () => {
  expect(await checkExternalNats({})).toBeNull()
  const dir = mkdtempSync(join(tmpdir(), 'kre-doctor-'))
  const authority = makeAuthority()
  writeFileSync(join(dir, 'ca.pem'), authority.ca)
  await using plain = await startNats()
  await using secure = await startNats((home) => tlsConfig(home, authority))
  const url = (...ports: number[]) => ports.map((port) => `127.0.0.1:${port}`).join(',')
  const ca = { KRE_NATS_TLS_CA_FILE: join(dir, 'ca.pem') }
  expect(await checkExternalNats({ KRE_NATS_URL: url(plain.port) })).toMatchObject({
    ok: true,
    found: expect.stringMatching(/^nats-server \d.* at 127.0.0.1:\d+: in plain text$/),
  })
  expect(await checkExternalNats({ KRE_NATS_URL: url(secure.port), ...ca })).toMatchObject({
    ok: true,
    found: expect.stringMatching(/TLSv1.3, certificate for IP Address:127.0.0.1 until 20/),
  })
  // Each server is looked at, though the engine goes on with one.
  expect(await checkExternalNats({ KRE_NATS_URL: url(secure.port, plain.port), ...ca })).toEqual({
    ok: false,
    found: expect.stringContaining(`127.0.0.1:${plain.port} offers no TLS`),
  })
  expect(await checkExternalNats({ KRE_NATS_URL: 'tls://a,nats://b' })).toMatchObject({
    ok: false,
    found: expect.stringContaining('name all of them with it'),
  })
  const gone = { KRE_NATS_URL: url(secure.port), KRE_NATS_TLS_CA_FILE: join(dir, 'gone.pem') }
  expect(await checkExternalNats(gone)).toMatchObject({
    ok: false,
    found: expect.stringContaining("can't be read (ENOENT)"),
  })
  rmSync(dir, { recursive: true })
})
