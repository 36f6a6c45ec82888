import { createHash } from 'node:crypto'
import { readArchive, type ReadBundle } from '../archive/read-archive.ts'
import type { ContentStore } from '../contents/content-store.ts'
import { BundleRejection } from '../issues.ts'
import { type BundleLimits, lowerLimits } from '../limits.ts'

/** Keeps contents in memory, so that thousands of archives are read per second. */
export function createMemoryStore(): ContentStore {
  const contents = new Map<string, Buffer>()
  return {
    async put(content) {
      const chunks: Uint8Array[] = []
      for await (const chunk of content) chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      contents.set(sha256, bytes)
      return { sha256, size: bytes.byteLength }
    },
    read: async (sha256) => contents.get(sha256) ?? Buffer.alloc(0),
    stream: ({ sha256 }) => inChunks(contents.get(sha256) ?? Buffer.alloc(0)),
    readPart: async (sha256, start, length) =>
      contents.get(sha256)?.subarray(start, start + length) ?? Buffer.alloc(0),
  }
}

export async function* inChunks(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += size)
    yield bytes.subarray(start, start + size)
}

/** The paths of an accepted archive, or the code and message of its rejection. */
export async function readInMemory(
  archive: Uint8Array,
  {
    limits = {},
    chunkBytes,
  }: { limits?: Partial<BundleLimits>; chunkBytes?: number | undefined } = {},
): Promise<{ bundle: ReadBundle } | { code: string; message: string }> {
  try {
    const source = inChunks(archive, chunkBytes)
    return { bundle: await readArchive(source, createMemoryStore(), lowerLimits(limits)) }
  } catch (thrown) {
    if (!(thrown instanceof BundleRejection)) throw thrown
    return thrown.issue
  }
}
