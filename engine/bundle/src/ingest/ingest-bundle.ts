import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type BundleFacts, KreError, type KrtIssue } from '@kre/contracts'
import { errorIssue } from '../issues.ts'
import { type BundleLimits, lowerLimits } from '../limits.ts'
import type { ValidatorAnswer, ValidatorJob } from './child-protocol.ts'
import { runValidator } from './run-validator.ts'

export type BundleSource =
  | { readonly stream: AsyncIterable<Uint8Array> }
  /** A `.krt`: tar, gzip-compressed or plain. */
  | { readonly file: string }
  | {
      readonly directory: string
      /** Files and folders in it that are not part of the bundle, such as the archive being built. */
      readonly leaveOut?: readonly string[]
    }

export type CheckOptions = {
  /** A folder for work in progress; made when absent, left empty but for the archive of the result. */
  readonly scratchDir: string
  /** Another name for the version, written into the packed manifest only. */
  readonly versionName?: string
  /** Every unknown key of the manifest is an error. */
  readonly strict?: boolean
  /** Bounds below the defaults. */
  readonly limits?: Partial<BundleLimits>
  readonly signal?: AbortSignal
}

export type CheckResult =
  | { readonly ok: true; readonly facts: BundleFacts; readonly issues: KrtIssue[] }
  | { readonly ok: false; readonly issues: KrtIssue[] }

export type IngestResult =
  | {
      readonly ok: true
      /** Lower-case hex sha256 of the canonical archive: the identity of the bundle. */
      readonly digest: string
      readonly bytes: number
      /** The canonical archive, in `scratchDir`. It belongs to the caller, who moves or removes it. */
      readonly file: string
      readonly facts: BundleFacts
      /** Warnings and infos. */
      readonly issues: KrtIssue[]
    }
  | { readonly ok: false; readonly issues: KrtIssue[] }

/**
 * Takes a bundle in: reads it once, validates it, and writes its canonical archive.
 * All of that happens in a process of its own with bounds on memory and time. Nothing else is left on disk.
 *
 * @throws KreError `resource-exhausted` (details.reason `STORAGE_FULL`), `not-found` for a source that is not
 *   there, `cancelled` after an abort; whatever the stream itself throws.
 */
export async function ingestBundle(
  source: BundleSource,
  options: CheckOptions,
): Promise<IngestResult> {
  return inScratchFolder(options.scratchDir, async (scratch) => {
    const draft = join(scratch, 'canonical.krt')
    const answer = await validate(source, draft, scratch, options)
    if (!answer.ok) return answer
    if (answer.archive === null) throw new KreError('internal', 'the validator wrote no archive')
    const { digest, bytes } = answer.archive
    const file = join(resolve(options.scratchDir), `${digest}-${randomUUID().slice(0, 8)}.krt`)
    await rename(draft, file)
    return { ok: true, digest, bytes, file, facts: answer.facts, issues: answer.issues }
  })
}

/** The verdict of `ingestBundle` without the archive. Throws what that throws. */
export async function checkBundle(
  source: BundleSource,
  options: CheckOptions,
): Promise<CheckResult> {
  return inScratchFolder(options.scratchDir, async (scratch) => {
    const answer = await validate(source, null, scratch, options)
    return answer.ok ? { ok: true, facts: answer.facts, issues: answer.issues } : answer
  })
}

async function inScratchFolder<T>(
  scratchDir: string,
  work: (scratch: string) => Promise<T>,
): Promise<T> {
  let scratch: string | null = null
  try {
    await mkdir(scratchDir, { recursive: true })
    scratch = await mkdtemp(join(resolve(scratchDir), 'ingest-'))
    return await work(scratch)
  } catch (thrown) {
    throw asStorageFull(thrown)
  } finally {
    if (scratch !== null) await rm(scratch, { recursive: true, force: true })
  }
}

type Accepted = Extract<ValidatorAnswer, { kind: 'accepted' }>

async function validate(
  source: BundleSource,
  archive: string | null,
  scratch: string,
  options: CheckOptions,
): Promise<({ ok: true } & Accepted) | { ok: false; issues: KrtIssue[] }> {
  const { versionName = null, strict = false, limits = {}, signal } = options
  const { workMs } = lowerLimits(limits)
  const job: ValidatorJob = {
    source: jobSource(source),
    scratch,
    archive,
    versionName,
    strict,
    limits: { ...limits },
  }
  const outcome = await runValidator(job, {
    workMs,
    ...('stream' in source ? { stream: source.stream } : {}),
    ...(signal === undefined ? {} : { signal }),
  })
  if (outcome.kind === 'died') return refuse(`the validator ${outcome.reason}`)
  const { answer } = outcome
  switch (answer.kind) {
    case 'accepted':
      return { ok: true, ...answer }
    case 'rejected':
      return { ok: false, issues: answer.issues }
    case 'fault': {
      const error = faultError(answer, source)
      if (error !== null) throw error
      return refuse(`the validator failed: ${answer.message}`)
    }
  }
}

function refuse(message: string): { ok: false; issues: KrtIssue[] } {
  const hint = 'make the bundle smaller or simpler; if it is neither large nor unusual, report this'
  return { ok: false, issues: [errorIssue('VALIDATION_FAILED', message, {}, hint)] }
}

function jobSource(source: BundleSource): ValidatorJob['source'] {
  if ('stream' in source) return { kind: 'stdin' }
  if ('file' in source) return { kind: 'file', path: resolve(source.file) }
  const leaveOut = (source.leaveOut ?? []).map((path) => resolve(path))
  return { kind: 'directory', path: resolve(source.directory), leaveOut }
}

/** Null for a fault that the bundle itself may have caused. */
function faultError(
  { code, message }: { code: string; message: string },
  source: BundleSource,
): KreError | null {
  const name = 'stream' in source ? 'the upload' : 'file' in source ? source.file : source.directory
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return storageFull()
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EISDIR':
      return new KreError('not-found', `${name} cannot be read as a bundle: ${message}`)
    case 'EACCES':
    case 'EPERM':
      return new KreError('permission-denied', `${name} cannot be read: ${message}`)
    case 'EIO':
    case 'EMFILE':
    case 'ENFILE':
    case 'EROFS':
      return new KreError('unavailable', `reading ${name} failed: ${message}`)
    default:
      return null
  }
}

function asStorageFull(thrown: unknown): unknown {
  const code = (thrown as NodeJS.ErrnoException).code
  return code === 'ENOSPC' || code === 'EDQUOT' ? storageFull(thrown) : thrown
}

function storageFull(cause?: unknown): KreError {
  return new KreError(
    'resource-exhausted',
    'STORAGE_FULL: there is no room left for the bundle; delete versions or enlarge the volume, then upload again',
    { reason: 'STORAGE_FULL' },
    { cause },
  )
}
