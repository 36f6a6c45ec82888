/** The bytes of a bundle's files in a scratch folder, each named by its sha256: no uploaded name reaches the disk. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'

export type StoredContent = { readonly sha256: string; readonly size: number }

export type BundleFile = StoredContent & {
  readonly path: string
  readonly executable: boolean
}

export type ContentStore = {
  /** Consumes the content whatever its size, in constant memory. */
  put(content: AsyncIterable<Uint8Array>): Promise<StoredContent>
  /** Where the bytes are; read-only for the caller. */
  locate(sha256: string): string
  read(sha256: string): Promise<Buffer>
}

/** @param directory is created; it belongs to this store alone. */
export async function createContentStore(directory: string): Promise<ContentStore> {
  await mkdir(directory, { recursive: true })
  const stored = new Set<string>()
  const locate = (sha256: string): string => join(directory, sha256)

  return {
    async put(content) {
      const hash = createHash('sha256')
      const draft = join(directory, `draft-${randomUUID()}`)
      let size = 0
      const file = await open(draft, 'wx', 0o600)
      try {
        for await (const chunk of content) {
          hash.update(chunk)
          size += chunk.byteLength
          await file.write(chunk)
        }
      } finally {
        await file.close()
      }
      const sha256 = hash.digest('hex')
      if (stored.has(sha256)) await unlink(draft)
      else await rename(draft, locate(sha256))
      stored.add(sha256)
      return { sha256, size }
    },
    locate,
    read: (sha256) => readFile(locate(sha256)),
  }
}
