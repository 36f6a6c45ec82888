import {
  FLAG,
  FRAME,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  H2_ERROR,
  Http2ConnectionError,
} from './protocol.ts'

/**
 * @param payload a view that is only valid now. A DATA frame may come in several calls, as its bytes do; only the last
 * one has its END_STREAM.
 */
export type OnFrame = (type: number, flags: number, streamId: number, payload: Buffer) => void

/** Cuts what a client sends into the preface (RFC 9113, 3.4) and frames (4.1). */
export class FrameParser {
  readonly #preface: Buffer
  readonly #onFrame: OnFrame
  #hasPreface = false
  #isStopped = false
  #rest: Buffer | null = null
  /** The DATA frame whose payload is arriving: how much of it has not come yet. */
  #left = 0
  #flags = 0
  #streamId = 0

  constructor(preface: Buffer, onFrame: OnFrame) {
    this.#preface = preface
    this.#onFrame = onFrame
  }

  get hasPreface(): boolean {
    return this.#hasPreface
  }

  /**
   * @throws Http2ConnectionError for a frame over the size limit, and what `onFrame` throws; PROTOCOL_ERROR when the
   * peer does not begin with the preface.
   */
  push(chunk: Buffer): void {
    let at = this.#rest === null ? 0 : this.#completeRest(chunk)
    if (!this.#hasPreface && at < chunk.length) at = this.#readPreface(chunk)
    while (!this.#isStopped && this.#hasPreface && at < chunk.length) {
      if (this.#left > 0) {
        at = this.#readOn(chunk, at)
        continue
      }
      if (chunk.length - at < FRAME_HEADER_BYTES) break
      const end = at + frameBytes(chunk, at)
      if (end <= chunk.length) {
        this.#report(chunk, at, end)
        at = end
      } else if (this.#begin(chunk, at)) at += FRAME_HEADER_BYTES
      else break
    }
    // A copy: what is left of a chunk must not keep all of it alive.
    if (!this.#isStopped && at < chunk.length) this.#rest = Buffer.from(chunk.subarray(at))
  }

  /** Makes a whole frame of what was left, and copies no more of the chunk than that takes. */
  #completeRest(chunk: Buffer): number {
    let rest = this.#rest as Buffer
    this.#rest = null
    let at = 0
    const take = (bytes: number) => {
      const end = Math.min(chunk.length, at + Math.max(0, bytes - rest.length))
      if (end > at) rest = Buffer.concat([rest, chunk.subarray(at, end)])
      at = end
      return rest.length >= bytes
    }
    if (!this.#hasPreface) {
      const isWhole = take(this.#preface.length)
      this.#readPreface(rest)
      if (!isWhole) this.#rest = rest
      return at
    }
    const hasHeader = take(FRAME_HEADER_BYTES)
    if (hasHeader && this.#begin(rest, 0)) return at
    if (hasHeader && take(frameBytes(rest, 0))) this.#report(rest, 0, rest.length)
    else this.#rest = rest
    return at
  }

  /** Whether the frame's payload is handed over as it comes; most of what a connection brings is not kept here then. */
  #begin(buffer: Buffer, at: number): boolean {
    const flags = buffer[at + 4] as number
    if (buffer[at + 3] !== FRAME.data || (flags & FLAG.padded) !== 0) return false
    this.#left = frameBytes(buffer, at) - FRAME_HEADER_BYTES
    this.#flags = flags
    this.#streamId = streamIdOf(buffer, at)
    return this.#left > 0
  }

  #readOn(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left)
    this.#left -= end - at
    const flags = this.#left === 0 ? this.#flags : this.#flags & ~FLAG.endStream
    this.#onFrame(FRAME.data, flags, this.#streamId, chunk.subarray(at, end))
    return end
  }

  #report(buffer: Buffer, at: number, end: number): void {
    const payload = buffer.subarray(at + FRAME_HEADER_BYTES, end)
    const streamId = streamIdOf(buffer, at)
    this.#onFrame(buffer[at + 3] as number, buffer[at + 4] as number, streamId, payload)
  }

  /** Nothing is reported any more. */
  stop(): void {
    this.#isStopped = true
    this.#rest = null
  }

  #readPreface(buffer: Buffer): number {
    const length = Math.min(buffer.length, this.#preface.length)
    if (this.#preface.compare(buffer, 0, length, 0, length) !== 0)
      throw new Http2ConnectionError(H2_ERROR.protocolError, 'no HTTP/2 preface')
    if (length < this.#preface.length) return 0
    this.#hasPreface = true
    return length
  }
}

function streamIdOf(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at + 5) & 0x7fff_ffff
}

/** Length of the frame whose header is at `at`. @throws Http2ConnectionError for one over the size limit. */
function frameBytes(buffer: Buffer, at: number): number {
  const length = buffer.readUIntBE(at, 3)
  if (length > FRAME_BYTES_MAX)
    throw new Http2ConnectionError(H2_ERROR.frameSizeError, `a frame of ${length} bytes`)
  return FRAME_HEADER_BYTES + length
}
