import { FLAG, flood, protocolError, sizeError } from './protocol.ts'

/** A block is kept until it is complete, so its encoded form is bounded too. */
const BLOCK_BYTES_MAX = 64 * 1024
const PIECES_MAX = 64
const PRIORITY_BYTES = 5

export type HeaderBlock = {
  readonly streamId: number
  readonly endStream: boolean
  readonly bytes: Buffer
}

/** Puts header blocks together from HEADERS and CONTINUATION frames (RFC 9113, 6.2 and 6.10). */
export class HeaderBlocks {
  #streamId = 0
  #endStream = false
  #pieces: Buffer[] = []
  #bytes = 0

  /** The stream whose block is incomplete, and to which the next frame must belong; 0 = none. */
  get openStreamId(): number {
    return this.#streamId
  }

  /** @returns the block when it is complete already. */
  begin(flags: number, streamId: number, payload: Buffer): HeaderBlock | null {
    if (streamId % 2 === 0) throw protocolError('HEADERS on a stream of no client')
    let fragment = withoutPadding(flags, payload)
    if ((flags & FLAG.priority) !== 0) {
      if (fragment.length < PRIORITY_BYTES)
        throw protocolError('HEADERS shorter than their priority')
      checkPriority(streamId, fragment.subarray(0, PRIORITY_BYTES))
      fragment = fragment.subarray(PRIORITY_BYTES)
    }
    const endStream = (flags & FLAG.endStream) !== 0
    if ((flags & FLAG.endHeaders) !== 0) return { streamId, endStream, bytes: fragment }
    this.#streamId = streamId
    this.#endStream = endStream
    this.#pieces = [Buffer.from(fragment)]
    this.#bytes = fragment.length
    return null
  }

  /** @returns the block when this was its end. */
  continue(flags: number, payload: Buffer): HeaderBlock | null {
    if (this.#streamId === 0) throw protocolError('CONTINUATION without HEADERS')
    this.#pieces.push(Buffer.from(payload))
    this.#bytes += payload.length
    if (this.#bytes > BLOCK_BYTES_MAX || this.#pieces.length > PIECES_MAX)
      throw flood(`a header block of more than ${BLOCK_BYTES_MAX} bytes or ${PIECES_MAX} frames`)
    if ((flags & FLAG.endHeaders) === 0) return null
    const bytes = Buffer.concat(this.#pieces)
    const block = { streamId: this.#streamId, endStream: this.#endStream, bytes }
    this.#streamId = 0
    this.#pieces = []
    return block
  }
}

/** @throws Http2ConnectionError for padding longer than its frame. */
export function withoutPadding(flags: number, payload: Buffer): Buffer {
  if ((flags & FLAG.padded) === 0) return payload
  const padding = payload[0]
  if (padding === undefined || padding >= payload.length)
    throw protocolError('padding longer than its frame')
  return payload.subarray(1, payload.length - padding)
}

/**
 * Priorities mean nothing here, but must be well-formed.
 *
 * @throws Http2ConnectionError for one that is not.
 */
export function checkPriority(streamId: number, payload: Buffer): void {
  if (streamId === 0) throw protocolError('PRIORITY on the connection')
  if (payload.length !== PRIORITY_BYTES) throw sizeError('PRIORITY')
  if ((payload.readUInt32BE(0) & 0x7fff_ffff) === streamId)
    throw protocolError('a stream that depends on itself')
}
