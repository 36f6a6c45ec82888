import { constants, type Dirent } from 'node:fs'
import { open, readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { KrtIssue } from '@kre/contracts'
import { checkEntryPath } from '../archive/entry-path.ts'
import { createPathRegistry } from '../archive/path-registry.ts'
import type { ReadBundle } from '../archive/read-archive.ts'
import type { BundleFile, ContentStore } from '../contents/content-store.ts'
import { BundleRejection, printable, warningIssue } from '../issues.ts'
import type { BundleLimits } from '../limits.ts'
import {
  createPackingRules,
  IGNORE_FILE,
  LARGE_FILE_BYTES,
  looksSecret,
  type PackingRules,
} from './packing-rules.ts'

/**
 * Reads a folder as if it had been packed. Symbolic links are never followed: they could lead out of the folder,
 * and the bundle would hold what they point to today.
 *
 * @param leaveOut absolute paths that are not part of the bundle.
 * @throws BundleRejection like an archive's reader, `ARCHIVE_TYPE` for a link or a device.
 */
export async function readDirectory(
  root: string,
  contents: ContentStore,
  limits: BundleLimits,
  leaveOut: readonly string[] = [],
): Promise<ReadBundle> {
  const rules = createPackingRules(
    await readIgnoreFile(root),
    leaveOut.map((path) => relative(root, path).split(sep).join('/')),
  )
  const paths = createPathRegistry()
  const files: BundleFile[] = []
  const issues: KrtIssue[] = []
  let bytes = 0
  for await (const path of listFiles(root, '', rules, limits)) {
    checkEntryPath(path, limits)
    paths.add(path, 'file')
    if (files.length >= limits.entriesMax)
      throw new BundleRejection(
        'ARCHIVE_TOO_MANY',
        `the folder holds more than ${limits.entriesMax} files`,
        {},
        `leave some out by patterns in ${IGNORE_FILE}`,
      )
    const file = await storeFile(root, path, contents, (chunkBytes) => {
      bytes += chunkBytes
      if (bytes > limits.uncompressedBytesMax)
        throw new BundleRejection(
          'ARCHIVE_TOO_LARGE',
          `the folder holds more than ${limits.uncompressedBytesMax} bytes`,
          {},
          `leave some out by patterns in ${IGNORE_FILE}`,
        )
    })
    files.push(file)
    issues.push(...fileWarnings(file))
  }
  return { files, issues }
}

async function readIgnoreFile(root: string): Promise<string> {
  try {
    return await readFile(join(root, IGNORE_FILE), 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw cause
  }
}

/** Depth first, in the order of the names, so that the first finding is always the same one. */
async function* listFiles(
  root: string,
  folder: string,
  rules: PackingRules,
  limits: BundleLimits,
): AsyncGenerator<string> {
  const children = await readdir(join(root, folder), { withFileTypes: true })
  children.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const child of children) {
    const path = folder === '' ? child.name : `${folder}/${child.name}`
    if (rules.isLeftOut(path, child.isDirectory())) continue
    if (child.isDirectory()) {
      checkEntryPath(path, limits)
      yield* listFiles(root, path, rules, limits)
    } else if (child.isFile()) yield path
    else
      throw new BundleRejection(
        'ARCHIVE_TYPE',
        `${printable(path)} is a ${describeType(child)}; a bundle holds regular files and directories only`,
        { file: path },
        child.isSymbolicLink()
          ? `replace the link by what it points to, or name it in ${IGNORE_FILE}`
          : `name it in ${IGNORE_FILE}`,
      )
  }
}

function describeType(child: Dirent): string {
  if (child.isSymbolicLink()) return 'symbolic link'
  if (child.isFIFO()) return 'named pipe'
  if (child.isSocket()) return 'socket'
  return 'device'
}

async function storeFile(
  root: string,
  path: string,
  contents: ContentStore,
  onBytes: (byteLength: number) => void,
): Promise<BundleFile> {
  const handle = await openRegularFile(root, path)
  try {
    const { mode } = await handle.stat()
    const stored = await contents.put(
      counted(handle.createReadStream({ autoClose: false }), onBytes),
    )
    return { path, executable: (mode & 0o100) !== 0, ...stored }
  } finally {
    await handle.close()
  }
}

/** The name may have become a link since it was listed: it is opened so that a link fails. */
async function openRegularFile(root: string, path: string) {
  try {
    return await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ELOOP') throw cause
    throw new BundleRejection('ARCHIVE_TYPE', `${printable(path)} became a symbolic link`, {
      file: path,
    })
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (byteLength: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    onBytes(chunk.byteLength)
    yield chunk
  }
}

function fileWarnings({ path, size }: BundleFile): KrtIssue[] {
  const issues: KrtIssue[] = []
  if (looksSecret(path))
    issues.push(
      warningIssue(
        'FILE_SECRET',
        `${printable(path)} looks like a secret; everybody who can read the bundle can read it`,
        { file: path },
        `name it in ${IGNORE_FILE} and declare the value under config`,
      ),
    )
  if (size > LARGE_FILE_BYTES)
    issues.push(
      warningIssue(
        'FILE_LARGE',
        `${printable(path)} has ${Math.round(size / 1_000_000)} MB; every start of a node fetches it`,
        { file: path },
        'leave it out, or keep it in an object store',
      ),
    )
  return issues
}
