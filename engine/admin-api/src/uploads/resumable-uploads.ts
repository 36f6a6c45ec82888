import { createHash } from 'node:crypto'
import { HOUR_MS, KreError, toKreError } from '@kre/contracts'
import type { Upload, UploadOutcome } from '@kre/store'
import { whileAllowed } from '../access/while-allowed.ts'
import type { FeatureDeps } from '../context.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { authorize, type Principal } from '../principal.ts'
import { quoted } from '../text.ts'
import { requireRuntime } from '../versions/version-state.ts'
import type { ClaimBytes } from './bytes-under-way.ts'
import { createTurns } from './create-turns.ts'
import { digestMismatch, takeBundle } from './take-bundle.ts'
import type { UploadSlots } from './upload-slots.ts'

type ResumableDeps = FeatureDeps & {
  claimBytes: ClaimBytes
  /** Turns at the validator. */
  uploadSlots: UploadSlots
}

/** Which upload, and who asks for it. */
export type UploadRef = {
  readonly principal: Principal
  readonly runtimeId: string
  readonly uploadId: string
}
export type BeginUpload = Omit<UploadRef, 'uploadId'> &
  Pick<Upload, 'bytes' | 'sha256' | 'metadata'>
export type AppendPart = UploadRef & {
  readonly offset: number
  /** Makes the chunks, within `bytesMax`; the signal ends them when the client has come back meanwhile. */
  readonly chunks: (bytesMax: number, signal: AbortSignal) => AsyncIterable<Uint8Array>
  /** The part counts whole or not at all, and only with this digest. */
  readonly checksum: { readonly algorithm: string; readonly digest: Buffer } | null
}
/** `received`: bytes that are there. */
export type UploadProgress = { readonly upload: Upload; readonly received: number }

/** Uploads of one user that are not over, and as many that are. */
export const UPLOADS_OF_USER_MAX = 100
/** How often uploads that are over are looked for. */
const SWEEP_MS = HOUR_MS

/**
 * Uploads whose parts are collected first, over as many connections and engines as it takes, and become a version then.
 * To everybody but who began it, an upload isn't there.
 */
export type ResumableUploads = AsyncDisposable & ReturnType<typeof createResumableUploads>

export function createResumableUploads(deps: ResumableDeps) {
  const { uploads, uploadLimits, now, newId, logger, events } = deps
  const self = newId()
  const turns = createTurns(deps.acquire, ({ runtimeId, uploadId }) =>
    events.publish({ type: 'upload.wanted', runtimeId, uploadId, by: self }),
  )
  const unsubscribe = events.subscribe((event) => {
    if (event.type === 'upload.wanted' && event.by !== self) turns.yieldTurn(event)
  })
  const closing = new AbortController()

  async function sweep(): Promise<void> {
    for (const upload of await uploads.list()) {
      const isOver = upload.expiresAt <= now()
      if (isOver || (await deps.runtimes.find(upload.runtimeId)) === null)
        await turns.take(refOf(upload), () => uploads.remove(upload.id))
    }
  }
  const sweepNow = (): void =>
    void sweep().catch((error: unknown) =>
      logger.error({ err: toKreError(error) }, 'old uploads could not be removed'),
    )
  const sweeper = setInterval(sweepNow, SWEEP_MS).unref()
  sweepNow()

  async function require(ref: UploadRef): Promise<Upload> {
    authorize(ref.principal, 'edit versions', ref.runtimeId)
    const upload = await uploads.find(ref.uploadId)
    const isTheirs =
      upload?.user === ref.principal.email &&
      upload.runtimeId === ref.runtimeId &&
      upload.expiresAt > now()
    if (isTheirs) return upload
    throw new KreError(
      'not-found',
      `there is no upload ${quoted(ref.uploadId)}: it is over, or was left for a day. Begin a new one`,
      { reason: 'UPLOAD_GONE' },
    )
  }

  /** Uploads cost a file each, however small they are. */
  async function makeRoom(user: string): Promise<void> {
    const theirs = (await uploads.list()).filter((upload) => upload.user === user)
    const over = theirs.filter(({ outcome }) => outcome !== null)
    if (theirs.length - over.length >= UPLOADS_OF_USER_MAX) throw tooManyUploads()
    // What became of the others was asked for long ago.
    for (const { id } of over.slice(0, -UPLOADS_OF_USER_MAX)) await uploads.remove(id)
  }

  async function append(upload: Upload, part: AppendPart, ended: AbortSignal): Promise<number> {
    if (upload.outcome !== null) throw isOver(upload)
    const deed = { ...part, action: 'edit versions' } as const
    const chunks = whileAllowed(deps, deed, part.chunks(upload.bytes - part.offset, ended))
    if (part.checksum === null) return uploads.append(upload.id, part.offset, chunks)
    const hash = createHash(part.checksum.algorithm)
    const received = await uploads.received(upload.id)
    try {
      const reached = await uploads.append(upload.id, part.offset, hashing(chunks, hash))
      if (!hash.digest().equals(part.checksum.digest)) throw checksumMismatch()
      return reached
    } catch (error) {
      await uploads.truncate(upload.id, received)
      throw error
    }
  }

  async function finish(upload: Upload, ref: UploadRef): Promise<UploadOutcome> {
    if (upload.outcome !== null) return upload.outcome
    const received = await uploads.received(upload.id)
    if (received < upload.bytes) throw incomplete(upload, received)
    // Looked at before the validator: damage on the way is not its business.
    if (upload.sha256 !== null && (await digestOf(upload.id)) !== upload.sha256) {
      await uploads.truncate(upload.id, 0)
      throw digestMismatch()
    }
    const release = await deps.uploadSlots(upload.user, closing.signal)
    try {
      const chunks = (await uploads.read(upload.id)) as AsyncIterable<Uint8Array>
      const { principal, runtimeId } = ref
      const bundle = { principal, runtimeId, chunks, sha256: null, signal: closing.signal }
      const outcome = await takeBundle(deps, bundle)
      await uploads.finish(upload.id, outcome)
      return outcome
    } finally {
      release()
    }
  }

  async function digestOf(id: string): Promise<string> {
    const hash = createHash('sha256')
    for await (const chunk of await uploads.read(id)) hash.update(chunk as Uint8Array)
    return hash.digest('hex')
  }

  return {
    /** @throws KreError `not-found` for the runtime, HttpProblem 413 and 429. */
    async begin({ principal, runtimeId, ...announced }: BeginUpload): Promise<Upload> {
      authorize(principal, 'edit versions', runtimeId)
      await requireRuntime(deps, runtimeId)
      await makeRoom(principal.email)
      // In the store it counts by itself.
      const release = await deps.claimBytes(principal.email, announced.bytes)
      try {
        const createdAt = now()
        const expiresAt = new Date(createdAt.getTime() + uploadLimits.keptMs)
        const user = principal.email
        const upload = { id: newId(), runtimeId, user, ...announced, createdAt, expiresAt }
        await uploads.create(upload)
        return { ...upload, outcome: null }
      } finally {
        release()
      }
    },

    /** The caller's uploads of a runtime that are not over, oldest first. */
    async list({ principal, runtimeId }: Omit<UploadRef, 'uploadId'>): Promise<UploadProgress[]> {
      authorize(principal, 'edit versions', runtimeId)
      const open = (await uploads.list()).filter(
        (upload) =>
          upload.user === principal.email &&
          upload.runtimeId === runtimeId &&
          upload.outcome === null &&
          upload.expiresAt > now(),
      )
      return Promise.all(
        open.map(async (upload) => ({ upload, received: await uploads.received(upload.id) })),
      )
    },

    /** Where it stands. Ends an append that goes on: its client has come back. */
    async find(ref: UploadRef): Promise<UploadProgress> {
      await require(ref)
      return turns.take(ref, async () => {
        const upload = await require(ref)
        return { upload, received: await uploads.received(upload.id) }
      })
    },

    /** @throws KreError `aborted` for another offset than where it stands, `failed-precondition` when it is over. */
    async append(part: AppendPart): Promise<UploadProgress> {
      await require(part)
      return turns.take(part, async (ended) => {
        const upload = await require(part)
        return { upload, received: await append(upload, part, ended) }
      })
    },

    /**
     * Makes the version, whether or not the client stays to hear of it; asked again, tells what became of it.
     *
     * @throws KreError `failed-precondition` while bytes are missing, and as `takeBundle`. It can be asked again then.
     */
    async finish(ref: UploadRef): Promise<UploadOutcome> {
      await require(ref)
      return turns.take(ref, async () => finish(await require(ref), ref), { mustEnd: true })
    },

    async drop(ref: UploadRef): Promise<void> {
      await require(ref)
      await turns.take(ref, () => uploads.remove(ref.uploadId))
    },

    async [Symbol.asyncDispose](): Promise<void> {
      clearInterval(sweeper)
      unsubscribe()
      closing.abort()
    },
  }
}

function refOf({ id: uploadId, runtimeId }: Pick<Upload, 'id' | 'runtimeId'>) {
  return { runtimeId, uploadId }
}

async function* hashing(
  chunks: AsyncIterable<Uint8Array>,
  hash: { update(chunk: Uint8Array): unknown },
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
}

function checksumMismatch(): KreError {
  return new KreError('invalid-argument', 'the part arrived damaged: send it again', {
    reason: 'CHECKSUM_MISMATCH',
  })
}

function isOver({ id }: Upload): KreError {
  return new KreError('failed-precondition', `upload "${id}" is over: begin a new one`)
}

function tooManyUploads(): HttpProblem {
  return new HttpProblem(
    'resource-exhausted',
    { status: 429, wireCode: 'UPLOADS_UNDER_WAY', headers: { 'Retry-After': '30' } },
    `you have ${UPLOADS_OF_USER_MAX} uploads that are not over: end or delete one first`,
  )
}

function incomplete({ id, bytes }: Upload, received: number): KreError {
  return new KreError(
    'failed-precondition',
    `upload "${id}" has ${received} of ${bytes} bytes: send the others first`,
    { reason: 'UPLOAD_INCOMPLETE', received, bytes },
  )
}
