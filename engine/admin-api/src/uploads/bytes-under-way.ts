import type { UploadStore } from '@kre/store'
import { GiB, MiB } from '@kre/contracts'
import { HttpProblem } from '../http/http-problem.ts'
import type { UploadLimits } from './upload-limits.ts'

/** Claims room for an upload and returns the function that gives it back. */
export type ClaimBytes = (user: string, bytes: number) => Promise<() => void>

/**
 * Counts what each user has on the way: bodies that are being read, here, and uploads in parts, in the store.
 *
 * @throws HttpProblem 413 above `bytesMax`, 429 above `bytesUnderWayMax`.
 */
export function createBytesUnderWay(deps: {
  uploads: Pick<UploadStore, 'list'>
  uploadLimits: UploadLimits
}): ClaimBytes {
  const { uploads, uploadLimits } = deps
  const claimed = new Map<string, number>()

  return async function claim(user, bytes) {
    if (bytes > uploadLimits.bytesMax) throw tooLarge(uploadLimits)
    // Counted before anything is waited for, so that claims at once see each other.
    const release = add(user, bytes)
    try {
      const collected = (await uploads.list())
        .filter((upload) => upload.user === user && upload.outcome === null)
        .reduce((sum, upload) => sum + upload.bytes, 0)
      if (collected + (claimed.get(user) ?? 0) > uploadLimits.bytesUnderWayMax)
        throw tooMuchUnderWay(uploadLimits)
      return release
    } catch (error) {
      release()
      throw error
    }
  }

  function add(user: string, bytes: number): () => void {
    claimed.set(user, (claimed.get(user) ?? 0) + bytes)
    let held = true
    return () => {
      if (!held) return
      held = false
      const left = (claimed.get(user) ?? 0) - bytes
      if (left > 0) claimed.set(user, left)
      else claimed.delete(user)
    }
  }
}

export function tooLarge({ bytesMax }: Pick<UploadLimits, 'bytesMax'>): HttpProblem {
  return new HttpProblem(
    'resource-exhausted',
    { status: 413, wireCode: 'ARCHIVE_TOO_LARGE' },
    `the bundle is too large: send at most ${sizeText(bytesMax)}`,
  )
}

function tooMuchUnderWay({ bytesUnderWayMax }: UploadLimits): HttpProblem {
  return new HttpProblem(
    'resource-exhausted',
    { status: 429, wireCode: 'UPLOADS_UNDER_WAY', headers: { 'Retry-After': '30' } },
    `your uploads under way would be more than ${sizeText(bytesUnderWayMax)} together: end or delete one first`,
  )
}

function sizeText(bytes: number): string {
  if (bytes % GiB === 0) return `${bytes / GiB} GiB`
  return bytes >= MiB ? `${Math.floor(bytes / MiB)} MiB` : `${bytes} bytes`
}
