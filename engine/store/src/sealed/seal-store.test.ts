import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  createKeyRing,
  isSealed,
  makeMasterKey,
  masterKeyIdOf,
  type MasterKeys,
  type OpenedKeyRing,
} from '@kre/service-kit/secrets'
import type { Store } from '../ports/store.ts'
import { openSqliteStore } from '../sqlite/open-sqlite-store.ts'
import { configContract } from '../testing/config-contract.ts'
import { sampleRuntime, sampleVersion } from '../testing/sample-records.ts'
import { hasSealedValues, unsetUnreadable } from './reseal-config.ts'
import { sealStore } from './seal-store.ts'

const AT = new Date('2026-02-03T04:05:06.789Z')
const CANARY = 'CANARY-of-the-store'

let dataDir: string
let raw: Store

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'kre-sealed-'))
  raw = await openSqliteStore({ dataDir })
  await raw.runtimes.create(sampleRuntime())
  for (const name of ['v1', 'v2']) await raw.versions.create(sampleVersion(name))
})
afterEach(async () => {
  await raw[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true, force: true })
})

const entry = (key: string, value: string) => ({
  key,
  type: 'VARIABLE' as const,
  value,
  updatedAt: AT,
})
const stored = async (version = 'v1') =>
  (await raw.config.get('demo', version)).map(({ value }) => value)

/** A ring whose "file" is a variable, so that tests see what a crash would leave there. */
function ringOf(keys: MasterKeys = [makeMasterKey()]): OpenedKeyRing & { saved: MasterKeys[] } {
  const saved: MasterKeys[] = []
  return {
    ring: createKeyRing(keys),
    source: 'the test',
    save: async (next) => void saved.push(next),
    reload: async () => undefined,
    saved,
  }
}

describe('sealed store on SQLite', () => {
  configContract(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kre-sealed-'))
    const inner = await openSqliteStore({ dataDir: folder })
    const { store } = await sealStore(inner, ringOf())
    return {
      ...store,
      async [Symbol.asyncDispose]() {
        await inner[Symbol.asyncDispose]()
        await rm(folder, { recursive: true, force: true })
      },
    }
  })
})

describe('a sealed value', () => {
  test('is nowhere in the files of the store, and reads as it was set', async () => {
    const { store } = await sealStore(raw, ringOf())
    await store.config.set('demo', 'v1', [entry('A', CANARY), entry('EMPTY', '')])
    expect(await store.config.get('demo', 'v1')).toEqual([entry('A', CANARY), entry('EMPTY', '')])
    expect((await stored()).map(isSealed)).toEqual([true, false])
    expect(filesWith(CANARY)).toEqual([])
  })

  test('has a nonce and a data key of its own, also when it is equal', async () => {
    const { store } = await sealStore(raw, ringOf())
    const keys = Array.from({ length: 300 }, (_, i) => entry(`K${i}`, 'equal'))
    await store.config.set('demo', 'v1', keys)
    const parts = (await stored()).map((value) => value.split(':'))
    for (const part of [2, 3, 4]) expect(new Set(parts.map((one) => one[part])).size).toBe(300)
    const nonces = parts.flatMap((one) => [one[3]?.slice(0, 16), one[4]?.slice(0, 16)])
    expect(new Set(nonces).size).toBe(600)
  })

  test('is told as corrupt wherever one of its characters changes, by its place alone', async () => {
    const { store } = await sealStore(raw, ringOf())
    await store.config.set('demo', 'v1', [entry('A', CANARY), entry('B', 'other value')])
    const [good = ''] = await stored()
    for (let at = 22; at < good.length; at += 3) {
      const flipped = `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`
      await raw.config.set('demo', 'v1', [entry('A', flipped)])
      const error = await store.config.get('demo', 'v1').then(
        (entries) => entries.find(({ key }) => key === 'A')?.value,
        (thrown: unknown) => thrown,
      )
      // The last character of base64 may have bits that mean nothing.
      if (error === CANARY && at >= good.length - 3) continue
      expect(error).toMatchObject({
        details: { reason: 'SECRET_CORRUPT', runtimeId: 'demo', version: 'v1', key: 'A' },
        message: expect.stringContaining('krectl config set v1 -r demo A'),
      })
      expect(String(error)).not.toContain(CANARY)
    }
    expect(await store.config.get('demo', 'v1', { leaveOutDamaged: true })).toEqual([
      entry('B', 'other value'),
    ])
  })

  test.each([
    ['another key', 'v1', 'B'],
    ['another version', 'v2', 'A'],
  ])('can not be moved to %s', async (_, version, key) => {
    const { store } = await sealStore(raw, ringOf())
    await store.config.set('demo', 'v1', [entry('A', CANARY)])
    const [value = ''] = await stored()
    await raw.config.set('demo', version, [entry(key, value)])
    await expect(store.config.get('demo', version)).rejects.toMatchObject({
      details: { reason: 'SECRET_CORRUPT', version, key },
    })
    // Setting it again repairs it.
    await store.config.set('demo', version, [entry(key, 'new')])
    const entries = await store.config.get('demo', version)
    expect(entries.find((one) => one.key === key)?.value).toBe('new')
  })
})

describe('opening a store', () => {
  test('seals what was plain text and leaves no trace of it, once', async () => {
    await raw.config.set('demo', 'v1', [
      entry('A', CANARY),
      entry('B', `${CANARY}-2`),
      entry('C', ''),
    ])
    await raw.config.set('demo', 'v2', [entry('A', `${CANARY}-gone`)])
    await raw.config.remove('demo', 'v2')
    const ring = ringOf()
    expect((await sealStore(raw, ring)).report).toMatchObject({ sealed: 2, rewrapped: 0 })
    expect(filesWith(CANARY)).toEqual([])
    const { store, report } = await sealStore(raw, ring)
    expect(report).toMatchObject({ sealed: 0, rewrapped: 0 })
    expect(await store.config.get('demo', 'v1')).toEqual([
      entry('A', CANARY),
      entry('B', `${CANARY}-2`),
      entry('C', ''),
    ])
    expect(await raw.config.generation('demo', 'v1')).toBe(1)
  })

  test('finishes what was cut off between two values', async () => {
    await raw.config.set('demo', 'v1', [entry('A', CANARY), entry('B', CANARY), entry('C', CANARY)])
    const ring = ringOf()
    await expect(sealStore(failingAfter(raw, 1), ring)).rejects.toThrow('cut off')
    expect((await stored()).map(isSealed)).toEqual([true, false, false])
    expect((await sealStore(raw, ring)).report).toMatchObject({ sealed: 2 })
  })

  test('is refused with a key that stored values do not have, and says which they need', async () => {
    const right = ringOf()
    const { store } = await sealStore(raw, right)
    await store.config.set('demo', 'v1', [entry('A', CANARY)])
    const before = await stored()
    await expect(sealStore(raw, ringOf())).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringMatching(/not the one .* demo\/v1\/A .* Put back the right key/),
      details: { reason: 'MASTER_KEY_WRONG', keyIds: [right.ring.current.id] },
    })
    expect(await stored()).toEqual(before)
    expect(await hasSealedValues(raw)).toBe(true)
    expect(await unsetUnreadable(raw, ringOf().ring)).toEqual(['demo/v1/A'])
    expect(await hasSealedValues(raw)).toBe(false)
  })
})

describe('rotating the master key', () => {
  test('wraps every value anew, and forgets the old key afterwards', async () => {
    const opened = ringOf()
    const old = opened.ring.current
    const { store, keys } = await sealStore(raw, opened)
    await store.config.set('demo', 'v1', [entry('A', CANARY), entry('B', 'b')])
    const before = await stored()
    expect(await keys.rotate()).toMatchObject({ rewrapped: 2, older: [] })
    const after = await stored()
    expect(after.map(masterKeyIdOf)).toEqual([opened.ring.current.id, opened.ring.current.id])
    // The value's own ciphertext stays: only its data key is wrapped anew.
    expect(after.map((value) => value.split(':')[4])).toEqual(
      before.map((value) => value.split(':')[4]),
    )
    expect(opened.saved.map((saved) => saved.length)).toEqual([2, 1])
    expect(opened.ring.find(old.id)).toBeNull()
    expect(await store.config.get('demo', 'v1')).toEqual([entry('A', CANARY), entry('B', 'b')])
    expect(await raw.config.generation('demo', 'v1')).toBe(1)
  })

  test.each([0, 1, 2])(
    'is finished by the next start when it is cut off after %i values',
    async (count) => {
      const opened = ringOf()
      const seal = await sealStore(raw, opened)
      await seal.store.config.set('demo', 'v1', [
        entry('A', CANARY),
        entry('B', 'b'),
        entry('C', 'c'),
      ])
      const broken = await sealStore(failingAfter(raw, count), opened)
      await expect(broken.keys.rotate()).rejects.toThrow('cut off')
      // What the file has now is all that the next engine knows.
      const left = opened.saved.at(-1)
      if (left === undefined) throw new Error('nothing was saved')
      const next = ringOf(left)
      const { store, report } = await sealStore(raw, next)
      expect(report).toMatchObject({ rewrapped: 3 - count, corrupt: [] })
      expect(next.saved.map((saved) => saved.length)).toEqual([1])
      expect(await store.config.get('demo', 'v1')).toEqual([
        entry('A', CANARY),
        entry('B', 'b'),
        entry('C', 'c'),
      ])
    },
  )

  test('loses no value that is set meanwhile', async () => {
    const { store, keys } = await sealStore(raw, ringOf())
    const many = Array.from({ length: 20 }, (_, i) => entry(`K${10 + i}`, `${i}`))
    await store.config.set('demo', 'v1', many)
    const sets = many.map(({ key }) => store.config.set('demo', 'v1', [entry(key, `${key}-new`)]))
    await Promise.all([keys.rotate(), keys.rotate(), ...sets])
    expect(await store.config.get('demo', 'v1')).toEqual(
      many.map(({ key }) => entry(key, `${key}-new`)),
    )
  })

  test('keeps old keys while a value can not be read, and is refused where keys come from outside', async () => {
    const opened = ringOf()
    const { store, keys } = await sealStore(raw, opened)
    await store.config.set('demo', 'v1', [entry('A', CANARY)])
    const [value = ''] = await stored()
    await raw.config.set('demo', 'v2', [entry('A', value)])
    expect(await keys.rotate()).toMatchObject({ older: [expect.any(String)] })
    const outside = await sealStore(raw, { ...opened, source: 'KRE_MASTER_KEY', save: null })
    await expect(outside.keys.rotate()).rejects.toMatchObject({
      message: expect.stringContaining('put a new key before the old one'),
    })
  })
})

/** A store that ends like a killed process after so many re-encrypted values. */
function failingAfter(store: Store, count: number): Store {
  let done = 0
  const { config } = store
  return {
    ...store,
    config: {
      ...config,
      async replaceValue(...args) {
        if (done++ >= count) throw new Error('cut off')
        return config.replaceValue(...args)
      },
    },
  }
}

function filesWith(text: string): string[] {
  return readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => readFileSync(path).includes(text))
}
