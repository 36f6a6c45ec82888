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
  /** Streams whose data waits, in the order they take turns. */
  readonly #waiting = new Set<Http2Stream>()
  #connectionWindow = DEFAULT_WINDOW_BYTES
  /** Of streams that are opened from now on. */
  initialWindow = DEFAULT_WINDOW_BYTES

  constructor(writer: FrameWriter) {
    this.#writer = writer
  }

  /** Sends what waits in one stream as far as the windows allow, and its trailers behind it. */
  send(stream: Http2Stream): void {
    while (stream.waiting.length > 0) {
      if (this.#sendFrame(stream)) continue
      this.#waiting.add(stream)
      return
    }
    this.#waiting.delete(stream)
    if (stream.isEnding) stream.finish()
  }

  /** One frame per stream and turn, so that a large answer does not hold up small ones. */
  sendAll(): void {
    let isMoving = this.#waiting.size > 0
    while (isMoving) {
      isMoving = false
      for (const stream of this.#waiting) {
        if (!this.#sendFrame(stream)) continue
        isMoving = true
        if (stream.waiting.length > 0) continue
        this.#waiting.delete(stream)
        if (stream.isEnding) stream.finish()
        else stream.handler.onDrain?.()
      }
    }
  }

  forget(stream: Http2Stream): void {
    this.#waiting.delete(stream)
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
    }
    this.sendAll()
  }

  /** At most one DATA frame; false when there is no room for one. */
  #sendFrame(stream: Http2Stream): boolean {
    const first = stream.waiting[0] as Uint8Array
    const left = first.length - stream.sentOfFirst
    const bytes = Math.min(left, FRAME_BYTES_MAX, this.#connectionWindow, stream.sendWindow)
    if ((bytes <= 0 && left > 0) || this.#writer.isFull()) return false
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
    return true
  }
}
