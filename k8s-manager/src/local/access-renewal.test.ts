import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HOUR_MS, type NatsAccess, type NatsRenewal } from '@kre/contracts'
import { createLogger, waitUntil } from '@kre/service-kit'
import { nodeWorkload } from '../testing/workloads.ts'
import { createAccessRenewal, withRenewal } from './access-renewal.ts'
import { openStateFiles, type ReplicaPaths } from './state-files.ts'

const logger = createLogger('test', { level: 'silent' })
const workload = nodeWorkload('etl')
let dir: string
let paths: ReplicaPaths
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kre-renew-'))
  paths = openStateFiles(dir, () => undefined).pathsOf(workload.id, 0)
  mkdirSync(paths.work, { recursive: true })
  file = join(paths.work, 'nats.json')
})
afterEach(() => rmSync(dir, { recursive: true }))

let made = 0
const access = (lifeMs: number | null): NatsAccess => ({
  servers: ['127.0.0.1:1'],
  user: '',
  password: '',
  credentials: {
    jwt: `jwt ${++made}`,
    seed: 'SU',
    expiresUnixMs: lifeMs === null ? null : Date.now() + lifeMs,
  },
})
const process = (pid = 1) => ({ workload, pid, uid: null, paths })
const written = () => (JSON.parse(readFileSync(file, 'utf8')) as { jwt: string }).jwt

describe('the renewal of access', () => {
  test('writes the next credentials for a process that is new to it, and again before they end', async () => {
    const renewal = createAccessRenewal(() => access(500), logger)
    renewal.tick([process()])
    const first = await waitUntil('the first', () =>
      readdirSync(paths.work).length > 0 ? written() : null,
    )
    renewal.tick([process()])
    expect(written()).toBe(first)
    await waitUntil('the next', () => {
      renewal.tick([process()])
      return written() !== first
    })
    expect(readdirSync(paths.work)).toEqual(['nats.json'])
  })

  test('comes in time when the clock is set back meanwhile', async () => {
    const renewal = createAccessRenewal(() => access(500), logger)
    renewal.tick([process()])
    const first = await waitUntil('the first', () =>
      readdirSync(paths.work).length > 0 ? written() : null,
    )
    const unixMs = Date.now()
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => unixMs - HOUR_MS)
    try {
      await waitUntil('the next', () => {
        renewal.tick([process()])
        return written() !== first
      })
    } finally {
      clock.mockRestore()
    }
  })

  test('writes other certificates at once, with the credentials', async () => {
    let ca = 'first'
    const read = () => JSON.parse(readFileSync(file, 'utf8')) as NatsRenewal
    const renewal = createAccessRenewal(
      () => ({ ...access(60_000), tls: { ca } }),
      logger,
      () => ca,
    )
    renewal.tick([process()])
    await waitUntil('the first', () => readdirSync(paths.work).length > 0 && read().tls?.ca)
    const { jwt } = read()
    renewal.tick([process()])
    expect(read().jwt).toBe(jwt)
    ca = 'second'
    renewal.tick([process()])
    await waitUntil('the second', () => read().tls?.ca === 'second')
    expect(read().jwt).not.toBe(jwt)
  })

  test('follows no link that user code has put there', async () => {
    const victim = join(dir, 'victim')
    writeFileSync(victim, 'untouched')
    symlinkSync(victim, file)
    createAccessRenewal(() => access(60_000), logger).tick([process()])
    await waitUntil('credentials', () => readFileSync(file, 'utf8').includes('jwt'))
    expect(readFileSync(victim, 'utf8')).toBe('untouched')
  })

  test('survives a folder in its way, and accounts that are not there', async () => {
    mkdirSync(file)
    let asked = 0
    const renewal = createAccessRenewal(() => {
      if (++asked > 1) throw new Error('no account')
      return access(60_000)
    }, logger)
    renewal.tick([process(1), process(2)])
    await waitUntil('both', () => asked === 2)
    expect(readdirSync(paths.work)).toEqual(['nats.json'])
  })

  test('is none for access that does not end, and where nothing is told there is no file', async () => {
    let asked = 0
    const renewal = createAccessRenewal(() => {
      asked++
      return access(null)
    }, logger)
    renewal.tick([process()])
    await waitUntil('the question', () => asked === 1)
    await Promise.resolve()
    renewal.tick([process()])
    expect(asked).toBe(1)
    expect(readdirSync(paths.work)).toEqual([])
    expect(withRenewal(access(1_000), paths).credentials?.renewalPath).toBe(file)
    const password = { servers: [], user: 'u', password: 'p' }
    expect(withRenewal(password, paths)).toBe(password)
  })
})
