import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { KrtIssue } from '@kre/contracts'
import { checkExpansion, readArchive, type ReadBundle } from '../archive/read-archive.ts'
import { writeArchive } from '../archive/write-archive.ts'
import {
  type BundleFile,
  type ContentStore,
  createContentStore,
} from '../contents/content-store.ts'
import { readDirectory } from '../directory/read-directory.ts'
import { BundleRejection } from '../issues.ts'
import { type BundleLimits, lowerLimits } from '../limits.ts'
import { MANIFEST_NAMES } from '../validate/find-manifest.ts'
import { renameVersion } from '../validate/rename-version.ts'
import { validateBundle } from '../validate/validate-bundle.ts'
import type { ValidatorAnswer, ValidatorJob } from './child-protocol.ts'

/**
 * Reads, validates and packs one bundle. Runs in the validator's process; usable in any other for tests.
 *
 * @throws what the file system throws; findings about the bundle are in the answer.
 */
export async function runJob(
  job: ValidatorJob,
  stdin: AsyncIterable<Uint8Array>,
): Promise<ValidatorAnswer> {
  const limits = lowerLimits(job.limits)
  const contents = await createContentStore(join(job.scratch, 'contents'))
  const readIssues: KrtIssue[] = []
  try {
    const read = await readSource(job.source, stdin, contents, limits)
    readIssues.push(...read.issues)
    const files =
      job.versionName === null
        ? read.files
        : await renameIn(read.files, contents, job.versionName, limits)
    const validation = await validateBundle(files, contents, { limits, strict: job.strict })
    const issues = [...readIssues, ...validation.issues]
    if (!validation.ok) return { kind: 'rejected', issues }
    const archive = job.archive === null ? null : await pack(files, contents, job.archive, limits)
    return { kind: 'accepted', archive, facts: { ...validation.facts, issues }, issues }
  } catch (thrown) {
    if (!(thrown instanceof BundleRejection)) throw thrown
    return { kind: 'rejected', issues: [...readIssues, thrown.issue] }
  }
}

function readSource(
  source: ValidatorJob['source'],
  stdin: AsyncIterable<Uint8Array>,
  contents: ContentStore,
  limits: BundleLimits,
): Promise<ReadBundle> {
  switch (source.kind) {
    case 'stdin':
      return readArchive(stdin, contents, limits)
    case 'file':
      return readArchive(createReadStream(source.path), contents, limits)
    case 'directory':
      return readDirectory(source.path, contents, limits, source.leaveOut)
  }
}

/** What is stored must itself be a legal upload, or a downloaded bundle could not come back. */
async function pack(
  files: readonly BundleFile[],
  contents: ContentStore,
  target: string,
  limits: BundleLimits,
): Promise<{ digest: string; bytes: number }> {
  const { digest, bytes, expandedBytes, headers } = await writeArchive(files, contents, target)
  if (bytes > limits.compressedBytesMax)
    throw new BundleRejection(
      'ARCHIVE_TOO_LARGE',
      `the packed bundle has ${bytes} bytes, allowed are ${limits.compressedBytesMax}`,
    )
  if (headers > limits.entriesMax)
    throw new BundleRejection(
      'ARCHIVE_TOO_MANY',
      `the packed bundle has more than ${limits.entriesMax} headers; a long or non-ASCII path takes two`,
    )
  checkExpansion(expandedBytes, bytes, limits)
  return { digest, bytes }
}

async function renameIn(
  files: readonly BundleFile[],
  contents: ContentStore,
  versionName: string,
  limits: BundleLimits,
): Promise<BundleFile[]> {
  return Promise.all(
    files.map(async (file) => {
      const isManifest = MANIFEST_NAMES.some((name) => name === file.path)
      if (!isManifest || file.size > limits.manifestBytesMax) return file
      const bytes = await contents.read(file.sha256)
      const text = bytes.toString('utf8')
      if (!Buffer.from(text).equals(bytes)) return file
      const renamed = Buffer.from(renameVersion(text, versionName))
      return { ...file, ...(await contents.put(single(renamed))) }
    }),
  )
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
