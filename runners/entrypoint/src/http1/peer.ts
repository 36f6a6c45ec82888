/** One connection, whatever it speaks, as the listener looks after it. */
export type Peer = {
  /** Ends it when it costs more than it brings; called every `sweepMs`. @param now monotonic, in ms. */
  guard(now: number): void
  /** No new requests; those that run go on, and the connection ends with the last one. */
  close(): void
  /** Ends it at once. */
  terminate(): void
}
