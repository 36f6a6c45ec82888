/** Where requests went: `accepted = answered + errored + expired + cancelled + in flight` holds at any moment. */
export type RequestCounts = {
  /** Got a slot. */
  accepted: number
  answered: number
  errored: number
  /** Deadline passed. */
  expired: number
  /** The caller went away. */
  cancelled: number
  /** Turned away before a slot. */
  refused: number
  /** Deliveries after the first one. */
  resent: number
  /** Replies that nobody waited for any more. */
  lateReplies: number
}

export type EntrypointStats = Readonly<RequestCounts> & {
  readonly inFlight: number
  /** Of those in flight, how many wait for a node or for NATS. */
  readonly held: number
  readonly bytes: number
  readonly connections: number
  readonly receiving: number
}

export function createRequestCounts(): RequestCounts {
  return {
    accepted: 0,
    answered: 0,
    errored: 0,
    expired: 0,
    cancelled: 0,
    refused: 0,
    resent: 0,
    lateReplies: 0,
  }
}
