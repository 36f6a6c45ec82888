import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { makeAuthority } from '../testing/make-certificates.ts'
import { readAuthorities, readIdentity, type TlsFile } from './tls-files.ts'
import { NatsTlsEnvironment, natsTlsProblems, natsTlsSettings } from './tls-settings.ts'
import { createNatsTlsSource } from './tls-source.ts'

const authority = makeAuthority()
const own = authority.issue('engine')
let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'kre-tls-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

function file(name: string, text: string | Buffer): TlsFile {
  const path = join(dir, name)
  writeFileSync(path, text)
  return { path, variable: 'KRE_NATS_TLS_X_FILE' }
}

describe('files with authorities', () => {
  test('are read as they are, however many certificates are in them', () => {
    const both = `# ours\n${authority.ca}${makeAuthority('next').ca}`
    expect(readAuthorities(file('ca.pem', both))).toBe(both)
  })

  test.each([
    ['no PEM', 'hello', /holds no certificate: it has to be PEM/],
    ['nothing', '', /holds no certificate/],
    ['a key', own.key, /holds no certificate/],
    ['damage', authority.ca.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'), /that is damaged/],
    ['what expired', authority.issue('old', { toMs: -1_000 }).cert, /has expired on 20.*renew it/],
    ['too much', Buffer.alloc(65_537), /has 65537 bytes, and at most 65536/],
  ])('with %s are refused', (_, text, problem) => {
    const given = file('wrong.pem', text)
    expect(() => readAuthorities(given)).toThrow(problem)
    expect(() => readAuthorities(given)).toThrow(`KRE_NATS_TLS_X_FILE: ${given.path}`)
  })

  test('that are not there are refused', () => {
    const gone = { path: join(dir, 'gone'), variable: 'KRE_NATS_TLS_X_FILE' }
    expect(() => readAuthorities(gone)).toThrow(/can't be read \(ENOENT\)/)
  })
})

describe('a certificate with its key', () => {
  const pair = (cert: string, key: string) => ({
    cert: file('cert.pem', cert),
    key: file('key.pem', key),
  })
  test('is read', () => {
    expect(readIdentity(pair(own.cert, own.key))).toEqual(own)
  })

  const other = authority.issue('other')
  const encrypted = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString()
  const early = authority.issue('early', { fromMs: 60_000 })
  const late = authority.issue('late', { toMs: -1_000 })
  test.each([
    ['of another one', own.cert, other.key, /is not the key of the certificate in/],
    ['that is encrypted', own.cert, encrypted, /is encrypted: give one without a password/],
    ['that is none', own.cert, own.cert, /holds no private key/],
    ['too early', early.cert, early.key, /is valid from .* on: look at the clock/],
    ['too late', late.cert, late.key, /has expired/],
  ])('%s is refused, and no key is shown', (_, cert, key, problem) => {
    const given = pair(cert, key)
    const said = (() => {
      try {
        return JSON.stringify(readIdentity(given))
      } catch (error) {
        return (error as Error).message
      }
    })()
    expect(said).toMatch(problem)
    expect(said).not.toContain(key.split('\n')[1])
  })
})

describe('the settings', () => {
  const parse = (variables: Record<string, string>) => NatsTlsEnvironment.parse(variables)
  const problems = (variables: Record<string, string>, servers: string[]) =>
    natsTlsProblems(parse(variables), servers).map(({ path, message }) => `${path} ${message}`)

  test('are null where nobody asks for TLS', () => {
    expect(natsTlsSettings(parse({}), ['nats://a'])).toBeNull()
    expect(natsTlsSettings(parse({}), [])).toBeNull()
  })

  test('demand TLS by the address, or by any variable', () => {
    expect(natsTlsSettings(parse({}), ['tls://a'])).toMatchObject({ authorities: null })
    const first = natsTlsSettings(parse({ KRE_NATS_TLS_HANDSHAKE_FIRST: 'true' }), ['nats://a'])
    expect(first).toMatchObject({ handshakeFirst: true })
  })

  test('say what does not go together', () => {
    expect(problems({ KRE_NATS_TLS_CA_FILE: 'a' }, [])).toEqual([
      expect.stringContaining('is about a NATS that somebody else runs'),
    ])
    expect(problems({ KRE_NATS_TLS_KEY_FILE: 'a' }, ['tls://a'])).toEqual([
      expect.stringContaining('KRE_NATS_TLS_CERT_FILE is needed with KRE_NATS_TLS_KEY_FILE'),
    ])
    expect(problems({}, ['tls://a', 'nats://b'])).toEqual([
      expect.stringContaining('name all of them with it'),
    ])
    expect(problems({}, [])).toEqual([])
  })
})

test('files that are renewed are read again, and those of before are used while they are damaged', () => {
  const path = join(dir, 'renewed.pem')
  writeFileSync(path, authority.ca)
  const settings = natsTlsSettings(NatsTlsEnvironment.parse({ KRE_NATS_TLS_CA_FILE: path }), ['a'])
  if (settings === null) throw new Error('there are settings')
  let now = 0
  const told: string[] = []
  const source = createNatsTlsSource(settings, {
    onProblem: ({ message }) => told.push(message),
    now: () => now,
  })
  const before = source.digest()
  expect(source.engine()).toEqual({ ca: authority.ca })
  writeFileSync(path, 'damaged')
  now += 10_000
  expect(source.versions()).toEqual({ ca: authority.ca })
  now += 10_000
  expect(source.digest()).toBe(before)
  expect(told).toEqual([expect.stringContaining('holds no certificate')])
  const next = makeAuthority('next').ca
  writeFileSync(path, next)
  expect(source.versions()).toEqual({ ca: authority.ca })
  now += 10_000
  expect(source.versions()).toEqual({ ca: next })
  expect(source.digest()).not.toBe(before)
})

test('authorities that others take the place of are trusted beside them for a while', () => {
  const path = join(dir, 'replaced.pem')
  writeFileSync(path, authority.ca)
  const settings = natsTlsSettings(NatsTlsEnvironment.parse({ KRE_NATS_TLS_CA_FILE: path }), ['a'])
  if (settings === null) throw new Error('there are settings')
  let now = 0
  const onProblem = (error: Error) => {
    throw error
  }
  const source = createNatsTlsSource(settings, { onProblem, overlapMs: 60_000, now: () => now })
  expect(source.engine()).toEqual({ ca: authority.ca })
  const next = makeAuthority('next').ca
  writeFileSync(path, next)
  now += 10_000
  const digests = new Set([source.digest()])
  for (const tls of [source.engine(), source.versions()])
    expect(tls.ca?.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  expect(source.versions().ca).toContain(authority.ca)
  now += 59_999
  expect(source.engine().ca).toContain(next)
  expect(source.engine().ca).toContain(authority.ca)
  digests.add(source.digest())
  expect(digests.size).toBe(1)
  now += 1
  expect(source.engine()).toEqual({ ca: next })
  digests.add(source.digest())
  expect(digests.size).toBe(2)
})
