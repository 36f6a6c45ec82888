import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { KreError } from '@kre/contracts/pod'
import { createByteReader } from './archive/byte-reader.ts'
import { gunzipMember } from './archive/gunzip-member.ts'
import { tarEntries } from './archive/tar-entries.ts'
import { BundleRejection } from './issues.ts'
import { DEFAULT_LIMITS } from './limits.ts'

const FILE_MODE = 0o444
const PROGRAM_MODE = 0o555
const FOLDER_MODE = 0o755

/**
 * Unpacks a canonical archive into `directory`, which appears all at once and complete. Files are read-only.
 * When `directory` is already there it is left alone: it can only hold the same, as its name belongs to the digest.
 *
 * @param digest sha256 in hex, with or without `sha256:` before it. Checked before a byte is written.
 * @throws KreError `failed-precondition` (details.reason `DIGEST_MISMATCH`), or `ARCHIVE_…` for an archive that
 *   this package did not write.
 */
export async function extractBundle(
  archive: string,
  digest: string,
  directory: string,
): Promise<void> {
  const target = resolve(directory)
  await checkDigest(archive, digest)
  if (await hasEntries(target)) return
  await mkdir(dirname(target), { recursive: true })
  const draft = `${target}.${randomUUID().slice(0, 8)}.partial`
  try {
    await mkdir(draft, { mode: FOLDER_MODE })
    await extractInto(draft, archive)
    await moveIntoPlace(draft, target)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function checkDigest(archive: string, digest: string): Promise<void> {
  const expected = digest.replace(/^sha256:/, '').toLowerCase()
  const hash = createHash('sha256')
  await pipeline(createReadStream(archive), hash)
  const actual = hash.digest('hex')
  if (actual !== expected)
    throw new KreError(
      'failed-precondition',
      `DIGEST_MISMATCH: ${archive} has sha256 ${actual}, expected was ${expected}; it was changed or damaged, fetch it again`,
      { reason: 'DIGEST_MISMATCH', expected, actual },
    )
}

async function extractInto(root: string, archive: string): Promise<void> {
  const made = new Set([root])
  try {
    const tar = createByteReader(gunzipMember(createByteReader(createReadStream(archive))))
    for await (const { path, executable, content } of tarEntries(tar, DEFAULT_LIMITS)) {
      const file = join(root, path)
      const folder = dirname(file)
      if (!made.has(folder)) await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
      made.add(folder)
      await pipeline(content, createWriteStream(file, { flags: 'wx', mode: 0o600 }))
      await chmod(file, executable ? PROGRAM_MODE : FILE_MODE)
    }
  } catch (thrown) {
    if (!(thrown instanceof BundleRejection)) throw thrown
    const { code, message } = thrown.issue
    throw new KreError('failed-precondition', `${archive}: ${code} ${message}`, { reason: code })
  }
}

/** Of several extractions at once the first wins; the others find its folder there and are content. */
async function moveIntoPlace(draft: string, target: string): Promise<void> {
  try {
    await rename(draft, target)
  } catch (cause) {
    if (await hasEntries(target)) return
    throw cause
  }
}

/** An empty folder counts as absent: a rename replaces it. */
async function hasEntries(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length > 0
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw cause
  }
}
