import type { RequestHeaders } from './request-headers.ts'

/** What a stream reports to the one who serves it. */
export type StreamHandler = {
  /** Bytes of the request's body: a view that is only valid now. */
  onData(chunk: Buffer): void
  /** The request is complete. */
  onEnd(): void
  /** Everything that was to be sent is with the socket, or never will be. Called once, in any case. */
  onClose(): void
  /** What was sent and had to wait for the peer is on its way. */
  onDrain?(): void
}

/** The connection's side of its streams. */
export type StreamOwner = {
  sendHeaders(stream: Http2Stream, block: Uint8Array, endStream: boolean): void
  /** An empty last data frame. */
  sendEnd(stream: Http2Stream): void
  /** Sends what waits in the stream, as far as the peer's windows allow. */
  sendWaiting(stream: Http2Stream): void
  sendReset(stream: Http2Stream, code: number): void
  creditStream(stream: Http2Stream): void
  /** The stream is closed on this side; the peer may still be sending. */
  closed(stream: Http2Stream): void
}

/** Takes nothing. */
export const NOBODY: StreamHandler = { onData() {}, onEnd() {}, onClose() {} }

/**
 * One request and its response on an HTTP/2 connection. Sending is in order: `respond`, any number of `write`, and
 * `end`; on a closed stream all of them do nothing.
 */
export class Http2Stream {
  readonly id: number
  readonly headers: RequestHeaders
  /** Set by whoever takes the stream over. */
  handler: StreamHandler = NOBODY
  /** Nothing can be sent any more. */
  isClosed = false
  /** Nothing more is expected of the peer. */
  isRemoteEnded = false
  /** Bytes the peer allows on this stream; below 0 after it made its window smaller. */
  sendWindow: number
  /** Bytes that may still arrive, and bytes that have arrived and are not credited yet. */
  receiveWindow: number
  uncredited = 0
  isPaused = false
  /** Body bytes that came, against `content-length`. */
  received = 0
  /** Data that waits for the peer, in order. */
  readonly waiting: Uint8Array[] = []
  /** How much of `waiting[0]` is sent. */
  sentOfFirst = 0
  /** `end` was called: the stream ends when `waiting` is sent. */
  isEnding = false
  #trailers: Uint8Array | null = null
  readonly #owner: StreamOwner

  constructor(
    owner: StreamOwner,
    id: number,
    headers: RequestHeaders,
    windows: { send: number; receive: number },
  ) {
    this.#owner = owner
    this.id = id
    this.headers = headers
    this.sendWindow = windows.send
    this.receiveWindow = windows.receive
  }

  /** @param block from `encodeHeaders`, with `:status`. */
  respond(block: Uint8Array, endStream = false): void {
    if (this.isClosed) return
    this.#owner.sendHeaders(this, block, endStream)
    if (endStream) this.close()
  }

  /** @returns false when the peer takes no more now: wait for `onDrain`. The bytes must not be changed afterwards. */
  write(bytes: Uint8Array): boolean {
    if (this.isClosed || this.isEnding) return true
    this.waiting.push(bytes)
    this.#owner.sendWaiting(this)
    return this.waiting.length === 0
  }

  /** Ends the response after everything that was written; null = without trailers. */
  end(trailers: Uint8Array | null): void {
    if (this.isClosed || this.isEnding) return
    this.isEnding = true
    this.#trailers = trailers
    this.#owner.sendWaiting(this)
  }

  /** Gives the stream up; the peer is told why. */
  reset(code: number): void {
    if (this.isClosed) return
    this.#owner.sendReset(this, code)
    this.isRemoteEnded = true
    this.close()
  }

  /** The peer may send only what its window still allows, until `resume`. */
  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    this.#owner.creditStream(this)
  }

  /** For the connection: everything before the end is sent. */
  finish(): void {
    if (this.#trailers === null) this.#owner.sendEnd(this)
    else this.#owner.sendHeaders(this, this.#trailers, true)
    this.close()
  }

  /** For the connection: nothing more will be sent on this stream. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.waiting.length = 0
    this.#owner.closed(this)
    const { handler } = this
    this.handler = NOBODY
    handler.onClose()
  }
}
