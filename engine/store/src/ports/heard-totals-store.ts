/** What a process had counted since its start when it was heard last. */
export type HeardTotals = {
  /** New for each process. */
  process: string
  heardAt: Date
  /** Of the collector's own making; at most some MiB. */
  totals: string
}

/**
 * What is counted already, so that the next engine counts neither twice nor too little: also what processes did while
 * no engine was there. MongoDB: one document per process, `_id` = process.
 */
export interface HeardTotalsStore {
  /** In place of what was there of each process. */
  put(totals: readonly HeardTotals[]): Promise<void>
  /** Those heard at the moment or later. */
  since(moment: Date): Promise<HeardTotals[]>
  /** Removes those heard before; returns how many. */
  expire(olderThan: Date): Promise<number>
}
