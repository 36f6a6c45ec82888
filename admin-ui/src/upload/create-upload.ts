/** A bundle on its way to the engine: small ones in one piece, larger ones in parts that survive a cut (tus 1.0). */
import { ApiError, toApiError } from '../api/api-error.ts'
import type { KrtIssue } from '../api/krt-issue.ts'
import { send } from '../api/send.ts'
import { networkBack } from './network-back.ts'

/** Up to so much is sent at once, and in parts of so much else. */
const PART_BYTES = 4 * 1024 * 1024
/** Without a byte that got there for so long, people are asked whether to go on. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 1_000
const PAUSE_MS_MAX = 8_000

export type UploadProgress = {
  readonly sentBytes: number
  readonly state: 'sending' | 'waiting' | 'checking'
}
export type Uploaded = { readonly versionName: string; readonly issues: readonly KrtIssue[] }

export type Upload = {
  /**
   * Sends what the engine does not have yet; after a failure it can be called again.
   *
   * @throws ApiError with the validator's issues, or what else keeps the file from becoming a version.
   */
  send(options: {
    signal: AbortSignal
    onProgress: (progress: UploadProgress) => void
  }): Promise<Uploaded>
  /** Gives back the room that the engine keeps for it. */
  forget(): void
}

export function createUpload(runtimeId: string, file: Blob): Upload {
  const runtime = `api/v1/runtimes/${encodeURIComponent(runtimeId)}`
  /** What the engine calls the upload; null = it knows of none. */
  let id: string | null = null

  async function begin(signal: AbortSignal): Promise<string> {
    const headers = { 'tus-resumable': '1.0.0', 'upload-length': String(file.size) }
    const created = await send(`${runtime}/uploads`, { method: 'POST', headers, signal })
    const made = created.headers.get('location')?.split('/').at(-1)
    if (made !== undefined && made !== '') return made
    throw new ApiError('INTERNAL', 'the engine does not say where the file goes')
  }

  return {
    async send({ signal, onProgress }) {
      if (file.size <= PART_BYTES) {
        onProgress({ sentBytes: file.size, state: 'checking' })
        return finish(`${runtime}/versions`, { body: file, signal })
      }
      // One that was not gone on with for long is forgotten by the engine, too.
      const known = id === null ? null : await offsetOf(`${runtime}/uploads/${id}`, signal)
      if (known === null) id = await begin(signal)
      const upload = `${runtime}/uploads/${id}`
      await sendParts(upload, { file, from: known ?? 0, signal, onProgress })
      onProgress({ sentBytes: file.size, state: 'checking' })
      return finish(`${runtime}/versions?upload=${encodeURIComponent(id ?? '')}`, { signal })
    },
    forget() {
      if (id === null) return
      const headers = { 'tus-resumable': '1.0.0' }
      // Where this fails the engine forgets it by itself, later.
      void send(`${runtime}/uploads/${id}`, { method: 'DELETE', headers }).catch(() => undefined)
      id = null
    },
  }
}

async function finish(path: string, init: RequestInit): Promise<Uploaded> {
  const response = await send(path, { method: 'PUT', ...init })
  const { version, issues } = (await response.json()) as {
    version: { name: string }
    issues: readonly KrtIssue[]
  }
  return { versionName: version.name, issues }
}

type Parts = {
  file: Blob
  /** Bytes that the engine has. */
  from: number
  signal: AbortSignal
  onProgress: (progress: UploadProgress) => void
}

/** After a failure the engine is asked how much it has, and the rest goes on from there. */
async function sendParts(upload: string, { file, from, signal, onProgress }: Parts): Promise<void> {
  let offset = from
  let failures = 0
  let reachedAt = Date.now()
  onProgress({ sentBytes: offset, state: 'sending' })
  while (offset < file.size) {
    try {
      if (failures > 0) offset = (await offsetOf(upload, signal)) ?? offset
      offset = await sendPart(upload, file, offset, signal)
      failures = 0
      reachedAt = Date.now()
      onProgress({ sentBytes: offset, state: 'sending' })
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error
      if (Date.now() - reachedAt > PATIENCE_MS) throw error
      failures += 1
      onProgress({ sentBytes: offset, state: 'waiting' })
      await networkBack(Math.min(PAUSE_MS * failures, PAUSE_MS_MAX), signal)
    }
  }
}

/** @returns how much the engine has then. */
async function sendPart(
  upload: string,
  file: Blob,
  offset: number,
  signal: AbortSignal,
): Promise<number> {
  const part = file.slice(offset, offset + PART_BYTES)
  const answer = await send(upload, {
    method: 'PATCH',
    headers: {
      'tus-resumable': '1.0.0',
      'upload-offset': String(offset),
      'content-type': 'application/offset+octet-stream',
    },
    body: part,
    signal,
  })
  return Number(answer.headers.get('upload-offset') ?? offset + part.size)
}

/** How much the engine has; null = it does not know the upload any more. */
async function offsetOf(upload: string, signal: AbortSignal): Promise<number | null> {
  const headers = { 'tus-resumable': '1.0.0' }
  const answer = await send(upload, { method: 'HEAD', headers, signal }).catch((error: unknown) => {
    if (toApiError(error).code === 'NOT_FOUND') return null
    throw error
  })
  if (answer === null) return null
  const offset = Number(answer.headers.get('upload-offset'))
  if (Number.isSafeInteger(offset)) return offset
  throw new ApiError('INTERNAL', 'the engine does not say how much of the file it has')
}

/** Another try may help: a cut, a restart, a hurry of two at one part, or a login that is renewed meanwhile. */
const PASSING = new Set(['UNREACHABLE', 'UNAVAILABLE', 'ABORTED', 'TIMEOUT', 'UNAUTHORIZED'])

function isPassing(error: unknown): boolean {
  return PASSING.has(toApiError(error).code)
}
