/**
 * What the engine keeps, as ports. Adapters: sqlite/ (laptop) and mongo/ (cluster), one contract suite for both.
 * All methods are asynchronous; a broken store throws KreError `unavailable`, a full disk `resource-exhausted`.
 * Writing something of a runtime that isn't there (versions, releases, configuration, placements) throws `not-found`.
 */
import {
  KiB,
  type BundleFacts,
  type DocumentRecord,
  type LogLevel,
  type LogRecord,
  type MeasurementRecord,
  type OutputRecord,
  type Placement,
  type PredictionRecord,
  type Release,
} from '@kre/contracts'
import type { AuditStore } from './audit-store.ts'
import type { HeardTotalsStore } from './heard-totals-store.ts'
import type { IdentityStore } from './identity-store.ts'
import type { LeaseStore } from './lease-store.ts'
import type { LogRetentionStore } from './log-retention-store.ts'
import type { PredictionStats } from './prediction-stats.ts'
import type { RequestStore } from './request-store.ts'
import type { SampleStore } from './sample-store.ts'
import type { TrafficStore } from './traffic-store.ts'
import type { UploadStore } from './upload-store.ts'

export type Runtime = {
  id: string
  name: string
  description: string
  createdAt: Date
  createdBy: string
}

export interface RuntimeStore {
  /** @throws KreError `already-exists`: `there is already a runtime with the same id` (or `… name`). */
  create(runtime: Runtime): Promise<void>
  find(id: string): Promise<Runtime | null>
  /** Oldest first. */
  list(): Promise<Runtime[]>
  /**
   * Changes the given texts of a runtime, leaves the others, in one step: what two people change at once stays both.
   *
   * @returns what it is now.
   * @throws KreError `not-found`, or `already-exists`: `there is already a runtime with the same name`.
   */
  update(id: string, texts: Partial<Pick<Runtime, 'name' | 'description'>>): Promise<Runtime>
  /** Removes the runtime and everything that belongs to it. Removing what is not there is fine. */
  remove(id: string): Promise<void>
}

export type Version = {
  /** Unique in the engine, never used again. */
  id: string
  runtimeId: string
  /** Unique in the runtime: the version's id from the manifest. */
  name: string
  description: string
  bundleDigest: string
  bundleBytes: number
  facts: BundleFacts
  createdAt: Date
  createdBy: string
  publishedAt: Date | null
  publishedBy: string | null
}

export interface VersionStore {
  /** @throws KreError `already-exists` when the runtime has a version of the name: exactly one of two parallel calls wins. */
  create(version: Version): Promise<void>
  find(runtimeId: string, name: string): Promise<Version | null>
  /** Newest first. */
  list(runtimeId: string): Promise<Version[]>
  /** @throws KreError `not-found`. */
  markPublished(runtimeId: string, name: string, by: string, at: Date): Promise<void>
  /** Its configuration goes too. Removing what is not there is fine. */
  remove(runtimeId: string, name: string): Promise<void>
  /** Whether any version of any runtime uses the bundle. */
  usesBundle(digest: string): Promise<boolean>
}

export interface ReleaseStore {
  /** The release in force. */
  current(runtimeId: string): Promise<Release | null>
  /** Newest first. */
  history(runtimeId: string, limit: number): Promise<Release[]>
  /** Names of versions that any release wanted; a version that was removed is forgotten, so that the next one of its name is new. */
  everRunning(runtimeId: string): Promise<ReadonlySet<string>>
  /** @throws KreError `aborted` when `release.generation` is not the current one + 1: somebody was faster; read again. */
  append(release: Release): Promise<void>
}

export type ConfigType = 'VARIABLE' | 'FILE'
export type ConfigEntry = { key: string; type: ConfigType; value: string; updatedAt: Date }

/**
 * Values as they are given: an adapter keeps them, `createSealedConfigStore` around it encrypts them. So an adapter
 * never needs a key, and never sees a value of the engine in plain text.
 */
export interface ConfigStore {
  /**
   * By key, ascending.
   *
   * @param options.leaveOutDamaged without the entries whose stored form can't be decrypted; for those who only ask
   *   what is set, or set it anew. An adapter that does not decrypt has none.
   * @throws KreError `failed-precondition` with `details.reason` `SECRET_CORRUPT` for a damaged one otherwise.
   */
  get(
    runtimeId: string,
    version: string,
    options?: { leaveOutDamaged?: boolean },
  ): Promise<ConfigEntry[]>
  /**
   * Sets the given entries, leaves the others; returns the version's new configuration generation (1, 2 …).
   *
   * @param ifGeneration nothing is set unless this is the generation in force, in one step with the write.
   * @throws KreError `aborted` when it is not: somebody else was faster.
   */
  set(
    runtimeId: string,
    version: string,
    entries: readonly ConfigEntry[],
    ifGeneration?: number,
  ): Promise<number>
  /**
   * Puts another form of the same value in its place, for re-encryption: neither `updatedAt` nor the generation change.
   *
   * @returns false, and nothing is written, when the stored value is not `from` any more.
   */
  replaceValue(
    runtimeId: string,
    version: string,
    key: string,
    from: string,
    to: string,
  ): Promise<boolean>
  /** Leaves no trace of replaced values in the store's own files, where it has such; a service of its own does nothing. */
  eraseReplaced(): Promise<void>
  generation(runtimeId: string, version: string): Promise<number>
  remove(runtimeId: string, version: string): Promise<void>
}

export interface PlacementStore {
  /**
   * @param token of the lease of who observed it; absent = 0.
   * @throws KreError `aborted` when what is there was written with a higher one: another engine leads by now.
   */
  put(placement: Placement, token?: number): Promise<void>
  get(runtimeId: string): Promise<Placement | null>
  remove(runtimeId: string): Promise<void>
}

export type LogQuery = {
  runtimeId: string
  versions?: readonly string[]
  workflows?: readonly string[]
  nodes?: readonly string[]
  levels?: readonly LogLevel[]
  requestId?: string
  /** Case-insensitive substring of the message. */
  search?: string
  /** Inclusive, as is `to`. */
  from?: Date
  to?: Date
  /** From the page before; stays true while records are added. */
  cursor?: string
  limit: number
  order: 'newest-first' | 'oldest-first'
}
export type LogPage = { items: LogRecord[]; cursor: string | null }

/** Result of writing one record: refused ones never succeed and are reported, not retried. */
export type WriteOutcome =
  | { id: string; stored: true }
  | { id: string; stored: false; reason: string }

/** A message that can never become a record: kept for people to look at, out of its neighbours' way. */
export type SetAsideMessage = {
  /** The same for every delivery of the message, so that setting it aside twice has one effect. */
  id: string
  runtimeId: string
  subject: string
  reason: string
  /** The message as it came; the store keeps the first `SET_ASIDE_PAYLOAD_BYTES_MAX` bytes. */
  payload: Uint8Array
  /** Size of the message as it came. */
  payloadBytes: number
  at: Date
}

/** Bytes of a message's payload that are kept when it is set aside: enough to see what it was. */
export const SET_ASIDE_PAYLOAD_BYTES_MAX = 256 * KiB
/** Messages set aside that are kept per runtime, the newest: a sender of garbage can't fill the disk. */
export const SET_ASIDE_MESSAGES_MAX = 1_000

/** Outputs of nodes: written by the mongo-writer, idempotent by runtime, version and record id. Lists are newest first. */
export interface OutputStore {
  /**
   * Writes what can be written, one outcome per record in the same order. A record that is there already is stored.
   *
   * @throws KreError when the store itself fails; then nothing of the batch counts as stored.
   */
  write(records: readonly OutputRecord[]): Promise<WriteOutcome[]>
  /**
   * Documents of a runtime's collection, oldest first, at most `limit`. Each field of the query must equal the
   * document's: dots reach into objects, an array equals each of its elements, null also means absent.
   * `_id` is the document's own, or the record's id.
   *
   * @throws KreError `invalid-argument` for an empty query, an operator (`$gt` …) or an impossible field name.
   */
  findDocuments(
    runtimeId: string,
    collection: string,
    query: Record<string, unknown>,
    limit: number,
  ): Promise<Record<string, unknown>[]>
  predictions(
    runtimeId: string,
    version: string,
    from: Date,
    to: Date,
    limit: number,
  ): Promise<PredictionRecord[]>
  measurements(
    runtimeId: string,
    version: string,
    measurement: string,
    limit: number,
    /** Both inclusive; absent = all. */
    range?: { from: Date; to: Date },
  ): Promise<MeasurementRecord[]>
  /** Names of a version's measurements, ascending, at most `limit`. */
  measurementNames(runtimeId: string, version: string, limit: number): Promise<string[]>
  documents(runtimeId: string, collection: string, limit: number): Promise<DocumentRecord[]>
  /** @throws KreError `invalid-argument` for a foreign cursor or a limit below 1; pages hold at most 1000. */
  logs(query: LogQuery): Promise<LogPage>
  setAside(messages: readonly SetAsideMessage[]): Promise<void>
  listSetAside(runtimeId: string, limit: number): Promise<SetAsideMessage[]>
  /** Logs and measurements before `olderThan` go; returns how many. Predictions and documents stay. */
  expire(olderThan: Date): Promise<number>
}

/** Canonical archives by their sha256. */
export interface BundleStore {
  /**
   * Takes over a finished file (moved, so it must be on the same file system as `scratchDir`).
   * The same digest twice is fine.
   */
  put(digest: string, file: string): Promise<void>
  /** Path of the archive. @throws KreError `not-found`. */
  path(digest: string): Promise<string>
  has(digest: string): Promise<boolean>
  remove(digest: string): Promise<void>
  /** Folder for files under way; emptied when the store opens. */
  readonly scratchDir: string
}

export type Store = AsyncDisposable & {
  runtimes: RuntimeStore
  versions: VersionStore
  releases: ReleaseStore
  config: ConfigStore
  placements: PlacementStore
  outputs: OutputStore
  predictionStats: PredictionStats
  logRetention: LogRetentionStore
  traffic: TrafficStore
  requests: RequestStore
  samples: SampleStore
  heardTotals: HeardTotalsStore
  identity: IdentityStore
  audit: AuditStore
  leases: LeaseStore
  bundles: BundleStore
  uploads: UploadStore
}
