import { KiB, MiB, MINUTE_MS, SECOND_MS } from '@kre/contracts/runtime'

/** Every bound of an entrypoint process, next to its reason. */
export type Limits = {
  /** Requests between admission and answer; above it callers are told to come back. */
  inFlightMax: number
  /** Requests of `inFlightMax` that may wait for a node to appear, so that an outage sheds early. */
  heldMax: number
  /** Streams whose message is still arriving: half-sent requests must not take the place of whole ones. */
  receivingMax: number
  /** Request and answer bytes held at once. */
  bytesMax: number
  /** Health watches and reflection streams, which live as long as their caller likes. */
  doorStreamsMax: number
  /**
   * Advertised to callers. Above what a process takes in flight: a stream over the advertised number is reset without
   * a text, one over `inFlightMax` is told why.
   */
  streamsPerConnectionMax: number
  connectionsMax: number
  headerListBytesMax: number
  /** Pings of one connection between two sweeps, since it was last answered a call; more is a flood. */
  pingsPerSweepMax: number
  /** SETTINGS frames of one connection between two sweeps. */
  settingsPerSweepMax: number
  /** Streams that one connection opens and gives up between two sweeps. */
  resetsPerSweepMax: number
  /** A connection without the HTTP/2 preface after this is dropped. */
  handshakeMs: number
  /** How often connections are looked after. */
  sweepMs: number
  /** A connection without a call for so long is closed. */
  idleMs: number
  /** An older connection is told to reconnect, so that clients spread over new replicas. */
  ageMs: number
  /** Silence after which the peer is pinged; a second silence of this length ends the connection. */
  keepaliveMs: number
  /** First byte of a request to its last. */
  receiveMs: number
  /**
   * A caller of HTTP/1 that ends its side so soon after its request has only said that this was all, as `nc` and some
   * proxies do, and gets its answer. Later than this it has given up, and the request with it.
   */
  halfCloseMs: number
  /** Answer written to answer read by the caller. */
  flushMs: number
  /** A new request waits so long for its nodes, or for NATS. */
  holdMs: number
  /** A request that was already with its nodes waits so long for them to come back. */
  resendHoldMs: number
  /** Between two sends to a workflow nobody listened to. */
  retryMs: number
  /** How often who waits for nodes that sleep asks for them. */
  wakeMs: number
  /** Deliveries of one request, so that a crash loop does not go round for ever. */
  attemptsMax: number
  /** A node that was not heard of for so long is gone; generous, as a busy handler may block its announcements. */
  staleMs: number
}

export const DEFAULT_LIMITS: Readonly<Limits> = {
  inFlightMax: 4096,
  heldMax: 1024,
  receivingMax: 16_384,
  bytesMax: 128 * MiB,
  doorStreamsMax: 256,
  streamsPerConnectionMax: 16_384,
  connectionsMax: 512,
  headerListBytesMax: 16 * KiB,
  pingsPerSweepMax: 500,
  settingsPerSweepMax: 100,
  resetsPerSweepMax: 10_000,
  handshakeMs: 10 * SECOND_MS,
  sweepMs: 5 * SECOND_MS,
  idleMs: 5 * MINUTE_MS,
  ageMs: 30 * MINUTE_MS,
  keepaliveMs: 60 * SECOND_MS,
  receiveMs: 10 * SECOND_MS,
  halfCloseMs: 100,
  flushMs: 30 * SECOND_MS,
  holdMs: 2 * SECOND_MS,
  resendHoldMs: 15 * SECOND_MS,
  retryMs: 25,
  wakeMs: SECOND_MS,
  attemptsMax: 10,
  staleMs: 20 * SECOND_MS,
}
