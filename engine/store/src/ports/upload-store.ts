/**
 * Bundles that arrive in parts. They outlive the engine's process and are gone a day later, so they belong to one
 * computer: an adapter for a cluster may keep them in a folder of the engine that took them.
 */
import type { KrtIssue } from '@kre/contracts'
import type { Readable } from 'node:stream'

export type Upload = {
  /** A random UUID in lower case. */
  id: string
  runtimeId: string
  /** E-mail of whoever began it: nobody else's business. */
  user: string
  /** Size that was announced. */
  bytes: number
  /** Lower-case hexadecimal sha256 that the whole file must have; null = nobody said. */
  sha256: string | null
  /** As the client gave it, to be given back. */
  metadata: string
  createdAt: Date
  /** From then on it may be removed at any time. */
  expiresAt: Date
  /** What became of the bytes; null = they are still being collected. */
  outcome: UploadOutcome | null
}

/** `refused`: it was no valid bundle. */
export type UploadOutcome = { issues: readonly KrtIssue[] } & (
  | { kind: 'version'; versionName: string; versionId: string; created: boolean }
  | { kind: 'refused' }
)

/**
 * Every method but `create` and `list` throws KreError `not-found` for an upload that isn't there, unless it says
 * otherwise. One caller at a time works on one upload.
 */
export interface UploadStore {
  /** @throws KreError `resource-exhausted` (`details.reason` `STORAGE_FULL`) when the disk has no room for its bytes. */
  create(upload: Omit<Upload, 'outcome'>): Promise<void>
  /** Null when it isn't there. */
  find(id: string): Promise<Upload | null>
  /** All of them, oldest first. */
  list(): Promise<Upload[]>
  /** Bytes that are there. */
  received(id: string): Promise<number>
  /**
   * Writes chunks as they come, behind what is there. What was written before a chunk failed stays.
   *
   * @param offset has to be what `received` says.
   * @returns bytes that are there now.
   * @throws KreError `aborted` for another offset, `resource-exhausted` (`details.reason` `STORAGE_FULL`) on a disk
   *   that is nearly full, and whatever `chunks` throws.
   */
  append(id: string, offset: number, chunks: AsyncIterable<Uint8Array>): Promise<number>
  /** Forgets the bytes from `offset` on. */
  truncate(id: string, offset: number): Promise<void>
  /** The bytes from the first one on. The caller reads to the end or destroys the stream. */
  read(id: string): Promise<Readable>
  /** Keeps what became of the bytes, and drops them. */
  finish(id: string, outcome: UploadOutcome): Promise<void>
  /** Removing what is not there is fine. */
  remove(id: string): Promise<void>
}
