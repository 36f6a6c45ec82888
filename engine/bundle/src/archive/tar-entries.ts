/** The files of a tar stream, one after the other, by the rules of a reader that repairs nothing. */
import { BundleRejection, printable } from '../issues.ts'
import type { BundleLimits } from '../limits.ts'
import type { ByteReader } from './byte-reader.ts'
import { checkEntryPath } from './entry-path.ts'
import { isGitArchiveComment, parsePax, type PaxAttributes } from './pax.ts'
import { createPathRegistry } from './path-registry.ts'
import { BLOCK_BYTES, decodeName, readTarHeader, type TarHeader } from './tar-header.ts'

export type TarEntry = {
  readonly path: string
  readonly size: number
  readonly executable: boolean
  /** Must be read to its end before the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>
}

type Pending = { pax: PaxAttributes | null; longPath: string | null }

const CHUNK_BYTES = 65_536
const LINK_HINT = 'pack the files themselves: `tar --dereference --hard-dereference`'
const TYPE_HINTS: Readonly<Record<string, string>> = {
  '1': LINK_HINT,
  '2': LINK_HINT,
  K: LINK_HINT,
  S: 'pack it without `tar --sparse`',
}

/**
 * Regular files only: directories are checked and dropped, metadata headers are applied.
 *
 * @throws BundleRejection for the first entry that breaks a rule; nothing behind it is read.
 */
export async function* tarEntries(
  input: ByteReader,
  limits: BundleLimits,
): AsyncGenerator<TarEntry> {
  const paths = createPathRegistry()
  let pending: Pending = { pax: null, longPath: null }
  let entries = 0
  let metadataBytes = 0
  for (;;) {
    const block = await readBlock(input)
    if (isZero(block)) break
    const header = readTarHeader(block)
    entries += 1
    if (entries > limits.entriesMax)
      throw new BundleRejection(
        'ARCHIVE_TOO_MANY',
        `the archive has more than ${limits.entriesMax} entries`,
      )
    if (isMetadata(header)) {
      metadataBytes += header.size
      if (metadataBytes > limits.extendedHeadersTotalBytesMax)
        throw new BundleRejection(
          'ARCHIVE_PAX',
          `the extended headers have more than ${limits.extendedHeadersTotalBytesMax} bytes together`,
          {},
          'pack it without extended attributes: `tar --no-xattrs --no-acls`',
        )
      pending = await readMetadata(input, header, pending, entries === 1, limits)
      continue
    }
    const entry = describeEntry(header, pending, limits)
    pending = { pax: null, longPath: null }
    if (entry.path !== '') paths.add(entry.path, entry.kind)
    if (entry.kind === 'directory') continue
    yield { ...entry, content: readContent(input, entry.size) }
    await skipPadding(input, entry.size)
  }
  if (pending.pax !== null || pending.longPath !== null)
    throw new BundleRejection('ARCHIVE_TRUNCATED', 'the archive ends after the header of a name')
  await checkEnd(input, limits)
}

function describeEntry(header: TarHeader, pending: Pending, limits: BundleLimits) {
  const raw = pending.pax?.path ?? pending.longPath ?? header.path
  if (header.typeFlag !== '0' && header.typeFlag !== '5')
    throw new BundleRejection(
      'ARCHIVE_TYPE',
      `${printable(raw)} is a ${header.typeName}; a bundle holds regular files and directories only`,
      {},
      TYPE_HINTS[header.typeFlag],
    )
  const paxSize = pending.pax?.size ?? header.size
  if (paxSize !== header.size)
    throw new BundleRejection(
      'ARCHIVE_PAX',
      `${printable(raw)} has two sizes: ${header.size} in its header, ${paxSize} in its pax header`,
    )
  if (header.typeFlag === '0')
    return {
      kind: 'file' as const,
      path: checkEntryPath(raw, limits),
      size: header.size,
      executable: header.executable,
    }
  if (header.size !== 0)
    throw new BundleRejection('ARCHIVE_CORRUPT', `directory ${printable(raw)} has a size`)
  const path = raw.endsWith('/') ? raw.slice(0, -1) : raw
  return {
    kind: 'directory' as const,
    path: path === '.' ? '' : checkEntryPath(path, limits),
    size: 0,
    executable: false,
  }
}

function isMetadata({ typeFlag }: TarHeader): boolean {
  return typeFlag === 'x' || typeFlag === 'g' || typeFlag === 'L'
}

async function readMetadata(
  input: ByteReader,
  header: TarHeader,
  pending: Pending,
  isFirst: boolean,
  limits: BundleLimits,
): Promise<Pending> {
  if (header.size > limits.extendedHeaderBytesMax)
    throw new BundleRejection(
      'ARCHIVE_PAX',
      `a ${header.typeName} has ${header.size} bytes, allowed are ${limits.extendedHeaderBytesMax}`,
    )
  const body = await readExactly(input, header.size)
  await skipPadding(input, header.size)
  if (header.typeFlag === 'g') {
    if (!isFirst || !isGitArchiveComment(body))
      throw new BundleRejection(
        'ARCHIVE_TYPE',
        'the archive has a global pax header other than the one of `git archive`',
      )
    return pending
  }
  if (pending.pax !== null || pending.longPath !== null)
    throw new BundleRejection('ARCHIVE_PAX', 'two extended headers describe one entry')
  if (header.typeFlag === 'x') return { pax: parsePax(body), longPath: null }
  return { pax: null, longPath: longName(body) }
}

/** GNU tar ends the name with one NUL. */
function longName(body: Uint8Array): string {
  const end = body.at(-1) === 0 ? body.byteLength - 1 : body.byteLength
  const name = body.subarray(0, end)
  if (name.byteLength === 0 || name.includes(0))
    throw new BundleRejection('ARCHIVE_PATH', 'a long name is empty or holds a NUL')
  return decodeName(name)
}

async function* readContent(input: ByteReader, size: number): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0;) {
    const chunk = await input.readSome(Math.min(left, CHUNK_BYTES))
    if (chunk.byteLength === 0) throw truncated()
    left -= chunk.byteLength
    yield chunk
  }
}

/** What fills the last block is never looked at: the archive is written anew with zeros there. */
async function skipPadding(input: ByteReader, size: number): Promise<void> {
  const padding = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES
  if (padding > 0) await readExactly(input, padding)
}

async function readBlock(input: ByteReader): Promise<Uint8Array> {
  return readExactly(input, BLOCK_BYTES)
}

async function readExactly(input: ByteReader, count: number): Promise<Uint8Array> {
  const bytes = await input.read(count)
  if (bytes.byteLength < count) throw truncated()
  return bytes
}

/** One zero block has been read; a second must follow, then only zero padding. */
async function checkEnd(input: ByteReader, limits: BundleLimits): Promise<void> {
  if (!isZero(await readBlock(input)))
    throw new BundleRejection('ARCHIVE_TRAILING', 'there are entries after the end of the archive')
  let padding = 0
  for (;;) {
    const chunk = await input.readSome(CHUNK_BYTES)
    if (chunk.byteLength === 0) return
    padding += chunk.byteLength
    if (!isZero(chunk) || padding > limits.paddingBytesMax)
      throw new BundleRejection(
        'ARCHIVE_TRAILING',
        `after the end of the archive there is more than ${limits.paddingBytesMax} bytes of zeros`,
      )
  }
}

function truncated(): BundleRejection {
  return new BundleRejection(
    'ARCHIVE_TRUNCATED',
    'the archive ends too early',
    {},
    'the upload was cut off, or the file is incomplete: send it again',
  )
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
