import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Store } from '../ports/store.ts'
import type { MakeStore } from './make-store.ts'

const DIGEST = '0123456789abcdef'.repeat(4)

export function bundleContract(makeStore: MakeStore): void {
  describe('bundles', () => {
    test('are taken over from the scratch folder and found by digest', async () => {
      await using store = await makeStore()
      const file = await scratchFile(store, 'archive')
      expect(await store.bundles.has(DIGEST)).toBe(false)
      await store.bundles.put(DIGEST, file)
      expect(await store.bundles.has(DIGEST)).toBe(true)
      expect(await readFile(await store.bundles.path(DIGEST), 'utf8')).toBe('archive')
      await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' })
    })

    test('can be put twice, also the same file', async () => {
      await using store = await makeStore()
      const file = await scratchFile(store, 'archive')
      await store.bundles.put(DIGEST, file)
      await store.bundles.put(DIGEST, file)
      await store.bundles.put(DIGEST, await scratchFile(store, 'archive'))
      expect(await readFile(await store.bundles.path(DIGEST), 'utf8')).toBe('archive')
    })

    test('are gone when they are removed', async () => {
      await using store = await makeStore()
      await store.bundles.put(DIGEST, await scratchFile(store, 'archive'))
      await store.bundles.remove(DIGEST)
      await store.bundles.remove(DIGEST)
      await expect(store.bundles.path(DIGEST)).rejects.toMatchObject({ code: 'not-found' })
    })

    test.each(['', '../etc/passwd', 'A'.repeat(64), `${'a'.repeat(63)}/`, `sha256:${DIGEST}`])(
      'have no other names than digests: %p',
      async (digest) => {
        await using store = await makeStore()
        const { bundles } = store
        const file = await scratchFile(store, 'archive')
        for (const attempt of [
          bundles.put(digest, file),
          bundles.path(digest),
          bundles.has(digest),
          bundles.remove(digest),
        ])
          await expect(attempt).rejects.toMatchObject({ code: 'invalid-argument' })
      },
    )
  })
}

async function scratchFile(store: Store, content: string): Promise<string> {
  const file = join(store.bundles.scratchDir, 'upload')
  await writeFile(file, content)
  return file
}
