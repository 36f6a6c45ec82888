/** Flow control towards the peer (RFC 9113, 5.2): data waits in its stream until both windows have room. */
import type { FrameWriter } from './frame-writer.ts'
import {
  DEFAULT_WINDOW_BYTES,
  FRAME,
  FRAME_BYTES_MAX,
  H2_ERROR,
  Http2ConnectionError,
  WINDOW_BYTES_MAX,
} from './protocol.ts'
import type { Http2Stream } from './http2-stream.ts'

const NO_FLAGS = 0

export class SendWindows {
  readonly #writer: FrameWriter
  /**
   * Streams that wait for the connection or its socket, in the order they take turns. Those that wait for their own
   * window are not here, so that no frame of the peer makes us look at all of them.
   */
  readonly #ready = new Set<Http2Stream>()
  #connectionWindow = DEFAULT_WINDOW_BYTES
  /** Of streams that are opened from now on. */
  initialWindow = DEFAULT_WINDOW_BYTES

  constructor(writer: FrameWriter) {
    this.#writer = writer
  }

  /** Sends what waits in one stream as far as the windows allow, and its trailers behind it. */
  send(stream: Http2Stream): void {
    while (stream.waiting.length > 0) {
      if (stream.sendWindow <= 0 && !isEmptyNext(stream)) return
      if (this.#isBlocked()) {
        this.#ready.add(stream)
        return
      }
      this.#sendFrame(stream)
    }
    if (stream.isEnding) stream.finish()
  }

  /** As `send`, for a stream that had to wait. */
  resume(stream: Http2Stream): void {
    if (stream.waiting.length === 0) return
    this.send(stream)
    if (stream.waiting.length === 0 && !stream.isEnding) stream.handler.onDrain?.()
  }

  /** One frame per stream and turn, so that a large answer does not hold up small ones. */
  sendAll(): void {
    for (const stream of this.#ready) {
      if (this.#isBlocked()) return
      this.#ready.delete(stream)
      // The peer may have made its window smaller since, and a later write may have sent what waited.
      if (stream.waiting.length > 0) {
        if (stream.sendWindow <= 0 && !isEmptyNext(stream)) continue
        this.#sendFrame(stream)
      }
      if (stream.waiting.length === 0) {
        if (stream.isEnding) stream.finish()
        else stream.handler.onDrain?.()
      } else if (stream.sendWindow > 0) this.#ready.add(stream)
    }
  }

  forget(stream: Http2Stream): void {
    this.#ready.delete(stream)
  }

  /** @throws Http2ConnectionError for a window beyond the protocol's limit. */
  creditConnection(bytes: number): void {
    this.#connectionWindow += bytes
    if (this.#connectionWindow > WINDOW_BYTES_MAX)
      throw new Http2ConnectionError(H2_ERROR.flowControlError, 'the connection window overflows')
    this.sendAll()
  }

  /** The peer changed the window that its streams begin with, which moves those that are open. */
  setInitialWindow(bytes: number, streams: Iterable<Http2Stream>): void {
    const delta = bytes - this.initialWindow
    this.initialWindow = bytes
    for (const stream of streams) {
      stream.sendWindow += delta
      if (stream.sendWindow > WINDOW_BYTES_MAX)
        throw new Http2ConnectionError(H2_ERROR.flowControlError, 'a stream window overflows')
      this.resume(stream)
    }
  }

  #isBlocked(): boolean {
    return this.#connectionWindow <= 0 || this.#writer.isFull()
  }

  /** One DATA frame, where there is room for one. */
  #sendFrame(stream: Http2Stream): void {
    const first = stream.waiting[0] as Uint8Array
    const left = first.length - stream.sentOfFirst
    const bytes = Math.min(left, FRAME_BYTES_MAX, this.#connectionWindow, stream.sendWindow)
    const isWhole = bytes === first.length
    const payload = isWhole ? first : first.subarray(stream.sentOfFirst, stream.sentOfFirst + bytes)
    this.#writer.frame(FRAME.data, NO_FLAGS, stream.id, payload)
    this.#connectionWindow -= bytes
    stream.sendWindow -= bytes
    stream.sentOfFirst += bytes
    if (bytes === left) {
      stream.waiting.shift()
      stream.sentOfFirst = 0
    }
  }
}

/** What has no bytes needs no window. */
function isEmptyNext({ waiting }: Http2Stream): boolean {
  return waiting[0]?.length === 0
}
