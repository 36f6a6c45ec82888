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
    const buffer = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk])
    let at = this.#hasPreface ? 0 : this.#readPreface(buffer)
    while (!this.#isStopped && this.#hasPreface && buffer.length - at >= FRAME_HEADER_BYTES) {
      const length = buffer.readUIntBE(at, 3)
      if (length > FRAME_BYTES_MAX)
        throw new Http2ConnectionError(H2_ERROR.frameSizeError, `a frame of ${length} bytes`)
      const end = at + FRAME_HEADER_BYTES + length
      if (end > buffer.length) break
      const streamId = buffer.readUInt32BE(at + 5) & 0x7fff_ffff
      const payload = buffer.subarray(at + FRAME_HEADER_BYTES, end)
      this.#onFrame(buffer[at + 3] as number, buffer[at + 4] as number, streamId, payload)
      at = end
    }
    // A copy: what is left of a chunk must not keep all of it alive.
    this.#rest = at < buffer.length ? Buffer.from(buffer.subarray(at)) : null
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
