/**
 * The audit log as a port: a chain of links that is only ever added to, and its head, kept apart from it.
 * The store knows nothing of keys and never looks into `body`; hashes come and go as they are.
 */

/** `intent`: somebody is about to do something. `outcome`: what became of it. `notice`: the log about itself. */
export const AUDIT_LINK_KINDS = ['intent', 'outcome', 'notice'] as const
export type AuditLinkKind = (typeof AUDIT_LINK_KINDS)[number]

export type AuditLink = {
  /** From 1; unique. */
  seq: number
  kind: AuditLinkKind
  /** Its own `seq`; for an outcome that of its intent. */
  intentSeq: number
  /** Exact to the millisecond. */
  at: Date
  /** E-mail in lower case; empty = nobody proved who he is. */
  actor: string
  /** What was done: the type of activity, for example `PUBLISH_VERSION`. */
  type: string
  /** Null = nothing of a runtime. */
  runtimeId: string | null
  /** Null = nothing of one version, or a version that was never made. */
  versionId: string | null
  /** JSON, at most 64 KiB. */
  body: string
  /** Names the key of `hash`, 8 hexadecimal digits. */
  keyId: string
  /** `hash` of the link before; 64 hexadecimal digits. */
  prevHash: string
  /** Keyed hash over everything above; 64 hexadecimal digits. */
  hash: string
}

/** Says how long the chain is: links behind it were there once. `mac` is a keyed hash of the two. */
export type AuditHead = { seq: number; hash: string; mac: string }

/**
 * The last link that retention has removed: what is left begins behind it. Its `hash` stands for every link up to it,
 * because each link hashes the one before. `mac` is a keyed hash of the two.
 */
export type AuditAnchor = { seq: number; hash: string; mac: string }

/** Every field narrows; absent = all, an empty list = nothing. */
export type AuditQuery = {
  /** Links with a smaller `seq`; for the next page. */
  beforeSeq?: number
  actor?: string
  types?: readonly string[]
  runtimeIds?: readonly string[]
  versionIds?: readonly string[]
  /** Inclusive, as is `to`. */
  from?: Date
  to?: Date
  /** 1 to 1000. */
  limit: number
}

export interface AuditStore {
  /**
   * Adds the link, on disk when this returns; then, not necessarily in the same step, sets the head. A head never goes
   * back: one with a smaller `seq` than the stored one is ignored.
   *
   * @throws KreError `aborted` when `link.seq` is not above every stored one: of parallel writers of one `seq` exactly
   * one wins, the others read `newest` again. `already-exists` for the second outcome of an intent.
   */
  append(link: AuditLink, head: AuditHead): Promise<void>
  newest(): Promise<AuditLink | null>
  head(): Promise<AuditHead | null>
  /** Ascending, from `fromSeq` on. @param limit 1 to 1000. */
  read(fromSeq: number, limit: number): Promise<AuditLink[]>
  /** Outcomes, newest first. Any of the filters, alone or together, within 50 ms at 100,000 outcomes. */
  outcomes(query: AuditQuery): Promise<AuditLink[]>
  /** Null = nothing was ever removed. */
  anchor(): Promise<AuditAnchor | null>
  /**
   * Keeps the anchor, on disk, then removes all links up to its `seq`. An anchor never goes back: one with a smaller
   * `seq` than the stored one is ignored, and removes nothing. Cut off in between, the same call finishes it.
   *
   * @returns how many links were removed.
   */
  removeThrough(anchor: AuditAnchor): Promise<number>
  /** Intents without an outcome, oldest first. Looks at the whole log: for a start, not for a request. */
  openIntents(limit: number): Promise<AuditLink[]>
}
