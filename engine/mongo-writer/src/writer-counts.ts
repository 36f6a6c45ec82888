/** What a writer did since it started; grows only. */
export type WriterCounts = {
  /** Records that the store has, those it had already included. */
  stored: number
  /** Messages, and lines of some, that can never be stored. */
  setAside: number
  /** Deliveries given back because the store failed: they come again. */
  returned: number
}
