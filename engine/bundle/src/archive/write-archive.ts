/**
 * The one form a bundle is stored and run in: files only, sorted by the bytes of their paths, no owners, no times.
 * Written anew from validated parts, so that every reader of it sees what the validator saw.
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Header, Pax } from 'tar'
import type { BundleFile, ContentStore } from '../contents/content-store.ts'
import { createGzipWriter, isIncompressible } from './gzip-writer.ts'
import { BLOCK_BYTES } from './tar-header.ts'

const EPOCH = new Date(0)

export type WrittenArchive = {
  /** Lower-case hex sha256 of the file. */
  readonly digest: string
  readonly bytes: number
  readonly expandedBytes: number
  /** Tar headers of every kind. */
  readonly headers: number
}

/** @param target must not exist. */
export async function writeArchive(
  files: readonly BundleFile[],
  contents: ContentStore,
  target: string,
): Promise<WrittenArchive> {
  const hash = createHash('sha256')
  const gzip = createGzipWriter()
  let bytes = 0
  let headers = 0
  await pipeline(
    async function* () {
      for await (const chunk of gzip.write(tarParts())) {
        hash.update(chunk)
        bytes += chunk.byteLength
        yield chunk
      }
    },
    createWriteStream(target, { flags: 'wx', mode: 0o600 }),
  )
  return { digest: hash.digest('hex'), bytes, expandedBytes: gzip.expandedBytes(), headers }

  async function* tarParts() {
    for (const file of sortByPath(files)) {
      const header = headerOf(file)
      headers += header.byteLength > BLOCK_BYTES ? 2 : 1
      const stored = await isIncompressible(file, contents)
      yield { stored: false, content: [header] }
      yield { stored, content: contents.stream(file) }
      const padding = (BLOCK_BYTES - (file.size % BLOCK_BYTES)) % BLOCK_BYTES
      yield { stored: false, content: [Buffer.alloc(padding)] }
    }
    yield { stored: false, content: [Buffer.alloc(2 * BLOCK_BYTES)] }
  }
}

export function sortByPath<T extends { readonly path: string }>(files: readonly T[]): T[] {
  return files.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}

/** A pax header comes first when the path is too long or not ASCII. */
function headerOf({ path, executable, size }: BundleFile): Uint8Array {
  const block = Buffer.alloc(BLOCK_BYTES)
  const header = new Header({
    path,
    mode: executable ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    size,
    mtime: EPOCH,
    type: 'File',
    uname: '',
    gname: '',
    devmaj: 0,
    devmin: 0,
  })
  if (!header.encode(block)) return block
  return Buffer.concat([new Pax({ path, uid: 0, gid: 0, mtime: EPOCH }).encode(), block])
}
