/** The NATS manager as the converger sees it. */
import type { BundleFacts } from './bundle.ts'
import type { RoutingTable } from './launch.ts'

/** A version whose NATS objects may exist. */
export type NatsVersion = {
  readonly version: string
  readonly versionId: string
  readonly bundleDigest: string
  readonly facts: BundleFacts
  /** Running: everything it needs exists. Not running: only what outlives a stop is kept (stores of its nodes). */
  readonly wanted: boolean
  /** Processes of it have not ended yet: it keeps its access to NATS until they have. Absent = none. */
  readonly isDraining?: boolean
}

export type NatsChanges = {
  readonly created: readonly string[]
  readonly removed: readonly string[]
  /** Streams of versions that are gone: each goes when the store has taken what is in it. Absent = none. */
  readonly waiting?: readonly string[]
}

export interface NatsManager {
  /**
   * Creates what the runtime's versions need and lack, removes what is the runtime's and nobody's any more.
   * Idempotent. An empty list of versions keeps the runtime's own objects.
   *
   * @param sound names of versions whose own objects were found complete before, and of which nobody has heard anything
   *   since: they are not looked at. Absent = none.
   * @throws KreError `unavailable` when the server can't be reached, `resource-exhausted` when it refuses for space.
   */
  converge(
    runtimeId: string,
    versions: readonly NatsVersion[],
    sound?: ReadonlySet<string>,
  ): Promise<NatsChanges>
  /** Removes everything of a runtime, its stored outputs on their way included. */
  removeRuntime(runtimeId: string): Promise<NatsChanges>
  /** Runtimes that own objects on the server, also those that the store no longer knows. */
  runtimes(): Promise<readonly string[]>
  readRouting(runtimeId: string): Promise<RoutingTable | null>
  /**
   * Compare-and-set on the generation.
   *
   * @param token of the lease of who writes; absent = 0.
   * @throws KreError `aborted` when a newer table is there, or one that was written with a higher token.
   */
  writeRouting(runtimeId: string, table: RoutingTable, token?: number): Promise<void>
}
