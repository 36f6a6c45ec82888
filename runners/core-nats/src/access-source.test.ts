import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HOUR_MS, type NatsAccess } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { createAccessSource } from './access-source.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kre-access-'))
  path = join(dir, 'nats.json')
})
afterEach(() => rmSync(dir, { recursive: true }))

const damaged: string[] = []
const credentials = (jwt: string, inMs: number) => ({
  jwt,
  seed: 'SU',
  expiresUnixMs: Date.now() + inMs,
})
const open = (inMs: number) => {
  const access: NatsAccess = {
    servers: ['127.0.0.1:1'],
    user: '',
    password: '',
    credentials: { ...credentials('first', inMs), renewalPath: path },
  }
  return createAccessSource(access, (error) => damaged.push(error.message))
}

describe('the access of a process', () => {
  test('speaks TLS as the newest file says, and without when that says nothing of it', () => {
    const source = open(1_000)
    const at = (inMs: number, more: object) => {
      writeFileSync(path, JSON.stringify({ ...credentials('next', inMs), ...more }))
      source.look()
      return source.current().tls
    }
    expect(at(2_000, { tls: { ca: 'first' } })).toEqual({ ca: 'first' })
    expect(at(3_000, { tls: { ca: 'second' } })).toEqual({ ca: 'second' })
    expect(at(2_500, { tls: { ca: 'older' } })).toEqual({ ca: 'second' })
    expect(at(4_000, {})).toBeUndefined()
    expect(source.current().credentials?.jwt).toBe('next')
  })

  test('is what its file says, when that ends later than what it has', () => {
    const source = open(60_000)
    expect(source.look()).toBe(false)
    for (const [jwt, inMs, isNewer] of [
      ['older', 1_000, false],
      ['newer', 120_000, true],
      ['newer', 110_000, false],
    ] as const) {
      writeFileSync(path, JSON.stringify(credentials(jwt, inMs)))
      expect(source.look()).toBe(isNewer)
    }
    expect(source.current().credentials?.jwt).toBe('newer')
  })

  test('stays what it is while the file is damaged, and says so', () => {
    const source = open(60_000)
    for (const text of ['', '{', '{"jwt":1}', 'null']) {
      writeFileSync(path, text)
      expect(source.look()).toBe(false)
    }
    expect(source.current().credentials?.jwt).toBe('first')
    expect(damaged).toHaveLength(4)
  })

  test('is looked after from the half of its life on', async () => {
    const source = open(400)
    const renewed: string[] = []
    const stop = source.watch(() => renewed.push(source.current().credentials?.jwt ?? ''))
    writeFileSync(path, JSON.stringify(credentials('second', 60_000)))
    await waitUntil('the renewal', () => renewed.length > 0)
    stop()
    expect(renewed).toEqual(['second'])
    expect(source.isExpired()).toBe(false)
  })

  test('is looked after in time when the clock is set back meanwhile', async () => {
    writeFileSync(path, JSON.stringify(credentials('of a process before', 100)))
    const source = open(400)
    const renewed: string[] = []
    const stop = source.watch(() => renewed.push(source.current().credentials?.jwt ?? ''))
    const unixMs = Date.now()
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => unixMs - HOUR_MS)
    try {
      await waitUntil('the end', () => source.isExpired())
      expect(renewed).toEqual([])
      writeFileSync(path, JSON.stringify(credentials('second', 60_000)))
      await waitUntil('the renewal', () => renewed.length > 0)
      expect(renewed).toEqual(['second'])
      expect(source.isExpired()).toBe(false)
    } finally {
      clock.mockRestore()
      stop()
    }
  })

  test('with a password, or without an end, is never looked after', () => {
    const access: NatsAccess = { servers: [], user: 'u', password: 'p' }
    const source = createAccessSource(access, () => undefined)
    expect(source.look()).toBe(false)
    expect(source.current()).toBe(access)
    expect(source.isExpired()).toBe(false)
    source.watch(() => undefined)()
  })
})
