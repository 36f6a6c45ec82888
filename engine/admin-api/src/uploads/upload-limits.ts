import { DAY_MS, GiB, MiB, MINUTE_MS } from '@kre/contracts'

export type UploadLimits = {
  /** Bytes of one `.krt`; the strict reader takes no more than the default (security, archive limits). */
  readonly bytesMax: number
  /** Bytes that one user may have on their way at once, announced or collected. */
  readonly bytesUnderWayMax: number
  /** Versions of a runtime: each keeps its bundle. */
  readonly versionsMax: number
  /** How long a client may be silent in the middle of a body. */
  readonly idleMs: number
  /** How long the parts of an upload wait for the next one. */
  readonly keptMs: number
}

export const DEFAULT_UPLOAD_LIMITS: UploadLimits = Object.freeze({
  bytesMax: 512 * MiB,
  bytesUnderWayMax: 2 * GiB,
  versionsMax: 1_000,
  idleMs: MINUTE_MS,
  keptMs: DAY_MS,
})
