/** A bundle on its way to the engine: small ones in one piece, larger ones in parts that survive a cut (tus 1.0). */
import { ApiError, toApiError } from './api-error.ts'
import type { KrtIssue } from './krt-issue.ts'
import { send } from './send.ts'

/** Up to so much is sent at once, and in parts of so much else. */
const PART_BYTES = 4 * 1024 * 1024
const RETRIES_MAX = 6
const RETRY_MS = 1_000

export type UploadProgress = { readonly sentBytes: number; readonly isChecking: boolean }
export type Uploaded = { readonly versionName: string; readonly issues: readonly KrtIssue[] }

type Options = {
  runtimeId: string
  file: Blob
  signal: AbortSignal
  onProgress: (progress: UploadProgress) => void
}

/** @throws ApiError with the validator's issues, or what else keeps the file from becoming a version. */
export async function uploadBundle(options: Options): Promise<Uploaded> {
  const { runtimeId, file, signal, onProgress } = options
  const runtime = `api/v1/runtimes/${encodeURIComponent(runtimeId)}`
  if (file.size <= PART_BYTES) {
    onProgress({ sentBytes: file.size, isChecking: true })
    return finish(`${runtime}/versions`, { body: file, signal })
  }
  const uploads = `${runtime}/uploads`
  const created = await send(uploads, {
    method: 'POST',
    headers: { 'tus-resumable': '1.0.0', 'upload-length': String(file.size) },
    signal,
  })
  const id = (created.headers.get('location') ?? '').split('/').at(-1) ?? ''
  await sendParts(`${uploads}/${id}`, options)
  onProgress({ sentBytes: file.size, isChecking: true })
  return finish(`${runtime}/versions?upload=${encodeURIComponent(id)}`, { signal })
}

async function finish(path: string, init: RequestInit): Promise<Uploaded> {
  const response = await send(path, { method: 'PUT', ...init })
  const { version, issues } = (await response.json()) as {
    version: { name: string }
    issues: readonly KrtIssue[]
  }
  return { versionName: version.name, issues }
}

/** After a failure the engine is asked how much it has, and the rest goes on from there. */
async function sendParts(
  upload: string,
  { file, signal, onProgress }: Pick<Options, 'file' | 'signal' | 'onProgress'>,
): Promise<void> {
  let offset = 0
  let failures = 0
  while (offset < file.size) {
    try {
      if (failures > 0) offset = await askOffset(upload, signal)
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
      offset = Number(answer.headers.get('upload-offset') ?? offset + part.size)
      failures = 0
      onProgress({ sentBytes: offset, isChecking: false })
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error
      failures += 1
      if (failures > RETRIES_MAX) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * failures))
    }
  }
}

async function askOffset(upload: string, signal: AbortSignal): Promise<number> {
  const answer = await send(upload, {
    method: 'HEAD',
    headers: { 'tus-resumable': '1.0.0' },
    signal,
  })
  const offset = Number(answer.headers.get('upload-offset'))
  if (Number.isSafeInteger(offset)) return offset
  throw new ApiError('INTERNAL', 'the engine does not say how much of the file it has')
}

/** Whether another try may help: a cut, a restart, a hurry of two at one part, or a login that is renewed meanwhile. */
function isPassing(error: unknown): boolean {
  return ['UNREACHABLE', 'UNAVAILABLE', 'ABORTED', 'TIMEOUT', 'UNAUTHORIZED'].includes(
    toApiError(error).code,
  )
}
