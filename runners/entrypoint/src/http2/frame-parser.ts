import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, H2_ERROR, Http2ConnectionError } from './protocol.ts'

/** @param payload a view that is only valid now. */
export type OnFrame = (type: number, flags: number, streamId: number, payload: Buffer) => void

/** Cuts what a client sends into the preface (RFC 9113, 3.4) and frames (4.1). */
export class FrameParser {
  readonly #preface: Buffer
  readonly #onFrame: OnFrame
  #hasPreface = false
  #isStopped = false
  #rest: Buffer | null = null

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
    while (!this.#isStopped && this.#hasPreface && chunk.length - at >= FRAME_HEADER_BYTES) {
      const end = at + frameBytes(chunk, at)
      if (end > chunk.length) break
      this.#report(chunk, at, end)
      at = end
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
    if (take(FRAME_HEADER_BYTES) && take(frameBytes(rest, 0))) this.#report(rest, 0, rest.length)
    else this.#rest = rest
    return at
  }

  #report(buffer: Buffer, at: number, end: number): void {
    const streamId = buffer.readUInt32BE(at + 5) & 0x7fff_ffff
    const payload = buffer.subarray(at + FRAME_HEADER_BYTES, end)
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

/** Length of the frame whose header is at `at`. @throws Http2ConnectionError for one over the size limit. */
function frameBytes(buffer: Buffer, at: number): number {
  const length = buffer.readUIntBE(at, 3)
  if (length > FRAME_BYTES_MAX)
    throw new Http2ConnectionError(H2_ERROR.frameSizeError, `a frame of ${length} bytes`)
  return FRAME_HEADER_BYTES + length
}
