import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { sampleFacts } from '@kre/contracts/testing'
import { createLogger } from '@kre/service-kit'
import { openSqliteStore, type Store } from '@kre/store'
import { sampleRuntime, sampleVersion } from '@kre/store/testing'
import { encryptStore } from './encrypt-store.ts'
import { createAcquireShared } from './leadership/acquire-shared.ts'

const logger = createLogger('test', { level: 'silent' })
let dir: string
let raw: Store
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-keys-'))
  raw = await openSqliteStore({ dataDir: dir })
  await raw.runtimes.create(sampleRuntime())
  await raw.versions.create(sampleVersion('v1', { facts: sampleFacts() }))
})
afterEach(async () => {
  await raw[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

/** An engine's view of the store, with keys of its own memory. */
function open(holder: string) {
  const acquire = createAcquireShared({
    leases: raw.leases,
    holder,
    isGone: async () => false,
    logger,
    now: () => performance.now(),
  })
  return encryptStore(raw, { masterKey: { text: null, file: null }, dataDir: dir }, logger, acquire)
}
type Opened = Awaited<ReturnType<typeof open>>

const set = ({ store }: Opened, value: string) =>
  store.config.set('demo', 'v1', [
    { key: 'TOKEN', type: 'VARIABLE', value, updatedAt: new Date(0) },
  ])
const get = async ({ store }: Opened) => (await store.config.get('demo', 'v1'))[0]?.value

const keysIn = (text: string) =>
  text
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('#'))

describe('master keys of two engines on one store', () => {
  test('that one rotates are found by the other', async () => {
    const [one, other] = [await open('one'), await open('other')]
    await set(one, 'before')
    expect(await get(other)).toBe('before')
    await one.keys.rotate()
    expect(await get(other)).toBe('before')
    await set(other, 'after')
    expect(await get(one)).toBe('after')
  })

  test('are never dropped while a value needs them', async () => {
    const [one, other] = [await open('one'), await open('other')]
    await set(one, '0')
    for (let i = 1; i <= 5; i++)
      await Promise.all([one.keys.rotate(), set(other, String(i)), other.keys.rotate()])
    const next = await open('next')
    expect(await get(next)).toBe('5')
    expect(keysIn(await readFile(join(dir, 'master-key'), 'utf8'))).toHaveLength(1)
    expect(await raw.leases.list()).toEqual([])
  })
})
