/** The bytes of a bundle's files in a scratch folder, each named by its sha256: no uploaded name reaches the disk. */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KiB } from '@kre/contracts'

export type StoredContent = { readonly sha256: string; readonly size: number }

export type BundleFile = StoredContent & {
  readonly path: string
  readonly executable: boolean
}

export type ContentStore = {
  /** Consumes the content whatever its size, in constant memory. */
  put(content: AsyncIterable<Uint8Array>): Promise<StoredContent>
  /** The whole content at once. */
  read(sha256: string): Promise<Buffer>
  /** The whole content in pieces. */
  stream(content: StoredContent): AsyncIterable<Uint8Array>
  /** At most `length` bytes from `start` on. */
  readPart(sha256: string, start: number, length: number): Promise<Buffer>
}

/** Up to this size a file is held in memory and written or read in one go: most bundles have many small files. */
const SMALL_BYTES = 256 * KiB

/** @param directory is created; it belongs to this store alone. */
export async function createContentStore(directory: string): Promise<ContentStore> {
  await mkdir(directory, { recursive: true })
  const stored = new Set<string>()
  const locate = (sha256: string): string => join(directory, sha256)

  return {
    async put(content) {
      const hash = createHash('sha256')
      const held: Uint8Array[] = []
      let size = 0
      let draft: { path: string; file: FileHandle } | null = null
      try {
        for await (const chunk of content) {
          hash.update(chunk)
          size += chunk.byteLength
          held.push(chunk)
          if (size <= SMALL_BYTES) continue
          draft ??= await openDraft(directory)
          for (const part of held.splice(0)) await draft.file.write(part)
        }
      } finally {
        await draft?.file.close()
      }
      const sha256 = hash.digest('hex')
      if (draft !== null)
        await (stored.has(sha256) ? unlink(draft.path) : rename(draft.path, locate(sha256)))
      else if (!stored.has(sha256))
        await writeFile(locate(sha256), Buffer.concat(held), { mode: 0o600 })
      stored.add(sha256)
      return { sha256, size }
    },
    read: (sha256) => readFile(locate(sha256)),
    async *stream({ sha256, size }) {
      if (size <= SMALL_BYTES) yield await readFile(locate(sha256))
      else
        yield* createReadStream(locate(sha256), {
          highWaterMark: SMALL_BYTES,
        }) as AsyncIterable<Uint8Array>
    },
    async readPart(sha256, start, length) {
      const file = await open(locate(sha256))
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start)
        return buffer.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    },
  }
}

async function openDraft(directory: string): Promise<{ path: string; file: FileHandle }> {
  const path = join(directory, `draft-${randomUUID()}`)
  return { path, file: await open(path, 'wx', 0o600) }
}
