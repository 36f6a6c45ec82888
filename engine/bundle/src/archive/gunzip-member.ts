/**
 * Reads exactly one gzip member. zlib's own gunzip joins members and ignores what follows them,
 * so header and trailer are read here and only the deflate data is left to zlib.
 */
import { crc32, createInflateRaw } from 'node:zlib'
import { BundleRejection } from '../issues.ts'
import type { ByteReader } from './byte-reader.ts'

const FLAG_TEXT = 0x01
const FLAG_HEADER_CRC = 0x02
const FLAG_EXTRA = 0x04
const FLAG_NAME = 0x08
const FLAG_COMMENT = 0x10
const FLAGS_KNOWN = FLAG_TEXT | FLAG_HEADER_CRC | FLAG_EXTRA | FLAG_NAME | FLAG_COMMENT
/** File name and comment are a line of text; more is somebody hiding data. */
const HEADER_TEXT_BYTES_MAX = 4_096
const CHUNK_BYTES = 65_536

export async function* gunzipMember(input: ByteReader): AsyncGenerator<Uint8Array> {
  await skipHeader(input)
  let checksum = 0
  let size = 0
  for await (const chunk of inflateUntilEnd(input)) {
    checksum = crc32(chunk, checksum)
    size += chunk.byteLength
    yield chunk
  }
  await checkTrailer(input, checksum, size)
}

async function skipHeader(input: ByteReader): Promise<void> {
  const fixed = await exactly(input, 10)
  if (fixed[0] !== 0x1f || fixed[1] !== 0x8b || fixed[2] !== 8)
    throw new BundleRejection('ARCHIVE_FORMAT', 'the archive has no valid gzip header')
  const flags = fixed[3] ?? 0
  if ((flags & ~FLAGS_KNOWN) !== 0)
    throw new BundleRejection('ARCHIVE_FORMAT', 'the gzip header sets flags that do not exist')
  let checksum = crc32(fixed)
  if (flags & FLAG_EXTRA) {
    const length = await exactly(input, 2)
    const extra = await exactly(input, (length[0] ?? 0) | ((length[1] ?? 0) << 8))
    checksum = crc32(extra, crc32(length, checksum))
  }
  if (flags & FLAG_NAME) checksum = await skipText(input, checksum)
  if (flags & FLAG_COMMENT) checksum = await skipText(input, checksum)
  if (flags & FLAG_HEADER_CRC) {
    const stored = Buffer.from(await exactly(input, 2)).readUInt16LE()
    if (stored !== (checksum & 0xffff))
      throw new BundleRejection('ARCHIVE_FORMAT', 'the checksum of the gzip header is wrong')
  }
}

async function skipText(input: ByteReader, checksum: number): Promise<number> {
  let running = checksum
  for (let count = 0; count < HEADER_TEXT_BYTES_MAX; count += 1) {
    const byte = await exactly(input, 1)
    running = crc32(byte, running)
    if (byte[0] === 0) return running
  }
  throw new BundleRejection(
    'ARCHIVE_FORMAT',
    `a text in the gzip header is longer than ${HEADER_TEXT_BYTES_MAX} bytes`,
  )
}

/** Yields the inflated bytes and leaves `input` right behind the deflate data. */
async function* inflateUntilEnd(input: ByteReader): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: CHUNK_BYTES })
  const ended = new Promise<void>((resolve) => {
    inflate.once('end', resolve).once('close', resolve)
  })
  let feedError: Error | undefined
  const feeding = (async () => {
    let done = false
    void ended.then(() => (done = true))
    while (!done) {
      const chunk = await input.readSome(CHUNK_BYTES)
      if (chunk.byteLength === 0) {
        inflate.end()
        return
      }
      const before = inflate.bytesWritten
      await Promise.race([
        new Promise<void>((resolve) => {
          inflate.write(chunk, () => resolve())
        }),
        ended,
      ])
      const used = inflate.bytesWritten - before
      if (used < chunk.byteLength) {
        input.unread(chunk.subarray(used))
        return
      }
    }
  })().catch((thrown: unknown) => {
    feedError = thrown instanceof Error ? thrown : new Error(String(thrown))
    inflate.destroy()
  })
  try {
    yield* inflate as AsyncIterable<Uint8Array>
  } catch (thrown) {
    if (feedError === undefined) throw asRejection(thrown)
  } finally {
    inflate.destroy()
    await feeding
  }
  if (feedError !== undefined) throw feedError
}

function asRejection(thrown: unknown): unknown {
  const code = (thrown as NodeJS.ErrnoException).code
  if (code === 'Z_BUF_ERROR')
    return new BundleRejection('ARCHIVE_TRUNCATED', 'the archive ends within its compressed data')
  if (code?.startsWith('Z_') === true)
    return new BundleRejection(
      'ARCHIVE_CORRUPT',
      `the compressed data is damaged (${(thrown as Error).message})`,
    )
  return thrown
}

async function checkTrailer(input: ByteReader, checksum: number, size: number): Promise<void> {
  const trailer = Buffer.from(await exactly(input, 8))
  if (trailer.readUInt32LE(0) !== checksum || trailer.readUInt32LE(4) !== size % 2 ** 32)
    throw new BundleRejection(
      'ARCHIVE_FORMAT',
      'the gzip checksum does not match: the archive was damaged on its way',
      {},
      'upload it again, or build it anew',
    )
  const extra = await input.readSome(1)
  if (extra.byteLength > 0)
    throw new BundleRejection(
      'ARCHIVE_FORMAT',
      'there is data after the end of the gzip stream; an archive is exactly one gzip member',
    )
}

async function exactly(input: ByteReader, count: number): Promise<Uint8Array> {
  const bytes = await input.read(count)
  if (bytes.byteLength < count)
    throw new BundleRejection('ARCHIVE_TRUNCATED', 'the archive ends within the gzip framing')
  return bytes
}
