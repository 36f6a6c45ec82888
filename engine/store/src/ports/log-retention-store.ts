/** How much of a runtime's log is kept; null = no limit of its own: what the engine's settings say. */
export type LogLimits = { ageMs: number | null; bytesMax: number | null }

export type LogUsage = {
  lines: number
  /** Of the records as JSON in UTF-8: what `bytesMax` is compared with. The store needs about three times that. */
  bytes: number
}

/** What a trim took away. */
export type LogsTrimmed = { byAge: number; bySize: number; bytes: number }

/** The bounds of logs, by runtime. A runtime's own limits go with it. */
export interface LogRetentionStore {
  /** Both null when nobody set any. */
  limits(runtimeId: string): Promise<LogLimits>
  setLimits(runtimeId: string, limits: LogLimits): Promise<void>
  /** Cheap: kept up to date with every write. MongoDB may sum it up instead. */
  usage(runtimeId: string): Promise<LogUsage>
  /** Removes lines before `olderThan`, then the oldest until at most `bytesMax` are left. */
  trim(runtimeId: string, to: { olderThan: Date; bytesMax: number }): Promise<LogsTrimmed>
}
