import type { KrtIssue } from '@kre/contracts'
import type { BundleFile, ContentStore } from '../contents/content-store.ts'
import { BundleRejection, warningIssue } from '../issues.ts'
import type { BundleLimits } from '../limits.ts'
import { type ByteReader, createByteReader } from './byte-reader.ts'
import { gunzipMember } from './gunzip-member.ts'
import { tarEntries } from './tar-entries.ts'

export type ReadBundle = { readonly files: BundleFile[]; readonly issues: KrtIssue[] }

/** A tar header holds its magic here; with it a plain tar is told from anything else. */
const MAGIC_OFFSET = 257

/**
 * Reads a `.krt` (gzip-compressed or plain tar) in one pass and stores the contents of its files.
 *
 * @throws BundleRejection for the first thing that breaks a rule.
 */
export async function readArchive(
  source: AsyncIterable<Uint8Array>,
  contents: ContentStore,
  limits: BundleLimits,
): Promise<ReadBundle> {
  let compressedBytes = 0
  const raw = createByteReader(source, (byteLength) => {
    compressedBytes += byteLength
    if (compressedBytes > limits.compressedBytesMax)
      throw new BundleRejection(
        'ARCHIVE_TOO_LARGE',
        `the archive is larger than ${limits.compressedBytesMax} bytes`,
      )
  })
  const compressed = await isGzip(raw)
  let expandedBytes = 0
  const tar = createByteReader(compressed ? gunzipMember(raw) : remaining(raw), (byteLength) => {
    expandedBytes += byteLength
    checkExpansion(expandedBytes, compressed ? raw.position : expandedBytes, limits)
  })
  return collectFiles(tar, contents, limits)
}

/** @throws BundleRejection `ARCHIVE_BOMB` */
export function checkExpansion(
  expandedBytes: number,
  compressedBytes: number,
  limits: BundleLimits,
): void {
  if (expandedBytes > limits.uncompressedBytesMax)
    throw new BundleRejection(
      'ARCHIVE_BOMB',
      `the archive expands to more than ${limits.uncompressedBytesMax} bytes`,
    )
  if (expandedBytes > limits.ratioFromBytes && expandedBytes > compressedBytes * limits.ratioMax)
    throw new BundleRejection(
      'ARCHIVE_BOMB',
      `the archive expands to more than ${limits.ratioMax} times its size`,
    )
}

async function collectFiles(
  tar: ByteReader,
  contents: ContentStore,
  limits: BundleLimits,
): Promise<ReadBundle> {
  const files: BundleFile[] = []
  let appleDoubles = 0
  for await (const entry of tarEntries(tar, limits)) {
    if (isAppleDouble(entry.path)) {
      appleDoubles += 1
      for await (const chunk of entry.content) void chunk
      continue
    }
    const stored = await contents.put(entry.content)
    files.push({ path: entry.path, executable: entry.executable, ...stored })
  }
  const issues =
    appleDoubles === 0
      ? []
      : [
          warningIssue(
            'ARCHIVE_APPLEDOUBLE',
            `${appleDoubles} files named "._…" were left out: they hold macOS attributes, not code`,
            {},
            'pack with COPYFILE_DISABLE=1, or with `krectl krt build`',
          ),
        ]
  return { files, issues }
}

function isAppleDouble(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith('._')
}

async function isGzip(raw: ByteReader): Promise<boolean> {
  const start = Buffer.from(await raw.peek(MAGIC_OFFSET + 5))
  if (start[0] === 0x1f && start[1] === 0x8b) return true
  if (start.toString('latin1', MAGIC_OFFSET) === 'ustar') return false
  throw new BundleRejection(
    'ARCHIVE_FORMAT',
    `this is ${describeStart(start)}, not a tar archive compressed with gzip`,
    {},
    'pack it with `krectl krt build -i DIR -o FILE` or `tar -czf FILE -C DIR .`',
  )
}

const OTHER_FORMATS: readonly (readonly [start: string, name: string])[] = [
  ['PK\u0003\u0004', 'a zip file'],
  ['BZh', 'a bzip2 file'],
  ['\u00fd7zXZ', 'an xz file'],
  ['(\u00b5/\u00fd', 'a zstd file'],
  ["7z\u00bc\u00af'", 'a 7-Zip file'],
  ['%PDF', 'a PDF document'],
  ['<', 'a web page or XML text'],
]

function describeStart(start: Buffer): string {
  if (start.length === 0) return 'an empty file'
  const text = start.toString('latin1')
  return OTHER_FORMATS.find(([prefix]) => text.startsWith(prefix))?.[1] ?? 'something else'
}

async function* remaining(raw: ByteReader): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = await raw.readSome(65_536)
    if (chunk.byteLength === 0) return
    yield chunk
  }
}
