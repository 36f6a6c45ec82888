import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { DAY_MS } from '@kre/contracts'
import type { Upload } from '../ports/upload-store.ts'
import type { MakeStore } from './make-store.ts'

const anUpload = (changes: Partial<Upload> = {}): Omit<Upload, 'outcome'> => {
  const createdAt = new Date('2026-01-02T03:04:05.678Z')
  return {
    id: randomUUID(),
    runtimeId: 'demo',
    user: 'ada@kre.io',
    bytes: 6,
    sha256: 'a'.repeat(64),
    metadata: 'filename eA==',
    createdAt,
    expiresAt: new Date(createdAt.getTime() + DAY_MS),
    ...changes,
  }
}

async function* chunksOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

export function uploadContract(makeStore: MakeStore): void {
  describe('uploads', () => {
    test('collect bytes behind what is there, and give them back', async () => {
      await using store = await makeStore()
      const upload = anUpload()
      await store.uploads.create(upload)
      expect(await store.uploads.find(upload.id)).toEqual({ ...upload, outcome: null })
      expect(await store.uploads.received(upload.id)).toBe(0)
      expect(await store.uploads.append(upload.id, 0, chunksOf('ab', 'c'))).toBe(3)
      expect(await store.uploads.append(upload.id, 3, chunksOf('def'))).toBe(6)
      expect(await store.uploads.received(upload.id)).toBe(6)
      const text = Buffer.concat(await (await store.uploads.read(upload.id)).toArray()).toString()
      expect(text).toBe('abcdef')
    })

    test('keep what came before a chunk that failed', async () => {
      await using store = await makeStore()
      const upload = anUpload()
      await store.uploads.create(upload)
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('abcd')
        throw Object.assign(new Error('cut'), { name: 'KreError', code: 'cancelled', details: {} })
      }
      await expect(store.uploads.append(upload.id, 0, failing())).rejects.toThrow()
      expect(await store.uploads.received(upload.id)).toBe(4)
      await store.uploads.truncate(upload.id, 1)
      expect(await store.uploads.append(upload.id, 1, chunksOf('x'))).toBe(2)
    })

    test('refuse bytes for another place', async () => {
      await using store = await makeStore()
      const upload = anUpload()
      await store.uploads.create(upload)
      await expect(store.uploads.append(upload.id, 1, chunksOf('x'))).rejects.toMatchObject({
        code: 'aborted',
        details: { received: 0 },
      })
      expect(await store.uploads.received(upload.id)).toBe(0)
    })

    test('keep what became of them without their bytes', async () => {
      await using store = await makeStore()
      const upload = anUpload()
      await store.uploads.create(upload)
      await store.uploads.append(upload.id, 0, chunksOf('abcdef'))
      const issue = { code: 'C', level: 'info' as const, message: 'm', file: 'f', path: '' }
      const outcome = {
        kind: 'version' as const,
        versionName: 'v1',
        versionId: 'i',
        created: true,
        issues: [{ ...issue, line: 1, column: 2 }],
      }
      await store.uploads.finish(upload.id, outcome)
      expect(await store.uploads.find(upload.id)).toEqual({ ...upload, outcome })
      expect(await store.uploads.received(upload.id)).toBe(6)
      await expect(store.uploads.read(upload.id)).rejects.toBeDefined()
    })

    test('are listed oldest first, and gone when they are removed', async () => {
      await using store = await makeStore()
      const older = anUpload({ createdAt: new Date(1) })
      const newer = anUpload({ createdAt: new Date(2) })
      for (const upload of [newer, older]) await store.uploads.create(upload)
      expect((await store.uploads.list()).map(({ id }) => id)).toEqual([older.id, newer.id])
      for (const { id } of [older, newer]) await store.uploads.remove(id)
      await store.uploads.remove(older.id)
      expect(await store.uploads.list()).toEqual([])
      await expect(store.uploads.received(older.id)).rejects.toMatchObject({ code: 'not-found' })
      await expect(store.uploads.append(older.id, 0, chunksOf('x'))).rejects.toMatchObject({
        code: 'not-found',
      })
      expect(await readdir(store.bundles.scratchDir)).toEqual([])
    })

    test.each(['', '..', '../kre', randomUUID().toUpperCase(), `${randomUUID()}/`])(
      'have no other ids than UUIDs: %p',
      async (id) => {
        await using store = await makeStore()
        expect(await store.uploads.find(id)).toBeNull()
        await expect(store.uploads.create(anUpload({ id }))).rejects.toMatchObject({
          code: 'invalid-argument',
        })
        await store.uploads.remove(id)
      },
    )
  })
}
