import { mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { KreError } from '@kre/contracts'
import {
  type BundleSource,
  checkBundle,
  type CheckOptions,
  type CheckResult,
  ingestBundle,
  type IngestResult,
} from './ingest/ingest-bundle.ts'

type ToolOptions = Omit<CheckOptions, 'scratchDir'>

/**
 * Validates a folder or a `.krt` without keeping anything.
 *
 * @throws KreError `not-found` when nothing is at `path`; see `ingestBundle`.
 */
export async function inspectBundle(path: string, options: ToolOptions = {}): Promise<CheckResult> {
  const source = await sourceAt(path)
  const scratchDir = await mkdtemp(join(tmpdir(), 'krt-'))
  try {
    return await checkBundle(source, { ...options, scratchDir })
  } finally {
    await rm(scratchDir, { recursive: true, force: true })
  }
}

/**
 * Packs a folder into a `.krt`. `out` appears complete or not at all, and replaces a file of that name.
 *
 * @returns `file` is `out`.
 * @throws see `ingestBundle`.
 */
export async function buildBundle({
  directory,
  out,
  ...options
}: ToolOptions & { directory: string; out: string }): Promise<IngestResult> {
  const target = resolve(out)
  // Beside the target, so that the last step is a rename within one file system.
  const scratchDir = await mkdtemp(join(dirname(target), `.${basename(target)}-`))
  try {
    const leaveOut = [target, scratchDir]
    const result = await ingestBundle({ directory, leaveOut }, { ...options, scratchDir })
    if (!result.ok) return result
    await rename(result.file, target)
    return { ...result, file: target }
  } finally {
    await rm(scratchDir, { recursive: true, force: true })
  }
}

async function sourceAt(path: string): Promise<BundleSource> {
  try {
    return (await stat(path)).isDirectory() ? { directory: path } : { file: path }
  } catch (cause) {
    throw new KreError('not-found', `there is no bundle at ${path}`, {}, { cause })
  }
}
