/** gRPC's length-prefixed messages (grpc/doc/PROTOCOL-HTTP2.md): 1 byte compressed flag, 4 bytes length, message. */
import { allocateMessage } from '@kre/core-nats'
import { createFailure, type Failure, noRoomForRequest } from './failure.ts'

const PREFIX_BYTES = 5
/** Space given to a message before its bytes have come: a declared length is only a claim. */
const FIRST_BYTES = 4096
/** So much more room than what has come is made when more bytes come: each time what has come is copied. */
const GROWTH = 8
const COPY_BYTES_MAX = 4096
const EMPTY = Buffer.alloc(0)

/** What a frame reader tells its owner. */
export type FrameReceiver = {
  /** Asked before memory grows; false ends the reading with RESOURCE_EXHAUSTED. */
  reserve(bytes: number): boolean
  onMessage(message: Uint8Array, isCompressed: boolean): void
  /** The stream can't be read any further. */
  onFailure(failure: Failure): void
}

/**
 * Cuts a stream into messages. Each message is a copy of its own, so that a small one never keeps a large
 * network buffer alive, and memory grows with what has arrived.
 */
export class FrameReader {
  readonly #bytesMax: number
  readonly #receiver: FrameReceiver
  #prefixHas = 0
  #flag = 0
  /** Length of the current message, as far as its prefix is read. */
  #wants = 0
  #message = EMPTY
  #has = 0
  #isStopped = false

  /** @param bytesMax largest message. */
  constructor(bytesMax: number, receiver: FrameReceiver) {
    this.#bytesMax = bytesMax
    this.#receiver = receiver
  }

  /** Whether bytes of an unfinished frame are waiting. */
  get isInsideFrame(): boolean {
    return this.#prefixHas > 0
  }

  push(chunk: Uint8Array): void {
    let at = 0
    while (!this.#isStopped && at < chunk.length) {
      if (this.#prefixHas < PREFIX_BYTES) {
        this.#readPrefix(chunk[at++] as number)
        if (this.#prefixHas < PREFIX_BYTES) continue
        if (!this.#begin(chunk.length - at)) return
      }
      const taken = this.#fill(chunk, at)
      if (taken < 0) return
      at += taken
      if (this.#has < this.#wants) return
      this.#complete()
    }
  }

  /** Nothing is reported any more. */
  stop(): void {
    this.#isStopped = true
    this.#message = EMPTY
  }

  #readPrefix(byte: number): void {
    if (this.#prefixHas === 0) this.#flag = byte
    else this.#wants = this.#wants * 256 + byte
    this.#prefixHas++
  }

  /** Checks a complete prefix and makes the first room. @param come bytes behind it that are here already. */
  #begin(come: number): boolean {
    if (this.#flag > 1) this.#fail(badFlag(this.#flag))
    else if (this.#wants > this.#bytesMax) this.#fail(tooLarge(this.#wants, this.#bytesMax))
    else return this.#grow(Math.min(this.#wants, Math.max(FIRST_BYTES, come * GROWTH)))
    return false
  }

  #grow(bytes: number): boolean {
    if (!this.#receiver.reserve(bytes - this.#message.length)) {
      this.#fail(noRoomForRequest())
      return false
    }
    // Small ones share a pool, which costs less than memory of their own; none outlives its request.
    const larger = allocateMessage(bytes)
    if (this.#has > 0) larger.set(this.#message.subarray(0, this.#has))
    this.#message = larger
    return true
  }

  /** Takes what belongs to the current message; returns how many bytes that was, -1 after a failure. */
  #fill(chunk: Uint8Array, at: number): number {
    const take = Math.min(this.#wants - this.#has, chunk.length - at)
    if (this.#has + take > this.#message.length) {
      const roomMin = this.#has + take
      const room = Math.min(this.#wants, roomMin * GROWTH)
      if (!this.#grow(room)) return -1
    }
    this.#message.set(chunk.subarray(at, at + take), this.#has)
    this.#has += take
    return take
  }

  #complete(): void {
    const message = this.#message
    this.#message = EMPTY
    this.#prefixHas = 0
    this.#wants = 0
    this.#has = 0
    this.#receiver.onMessage(message, this.#flag === 1)
  }

  #fail(failure: Failure): void {
    this.stop()
    this.#receiver.onFailure(failure)
  }
}

/** One message with its prefix, ready to be written. */
export function encodeFrame(message: Uint8Array, isCompressed = false): Buffer {
  return Buffer.concat([encodePrefix(message, isCompressed), message])
}

/** As `encodeFrame`, in one piece or two: copying a large message costs more than one more frame. */
export function framePieces(message: Uint8Array, isCompressed: boolean): Uint8Array[] {
  return message.length <= COPY_BYTES_MAX
    ? [encodeFrame(message, isCompressed)]
    : [encodePrefix(message, isCompressed), message]
}

function encodePrefix(message: Uint8Array, isCompressed: boolean): Buffer {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES)
  prefix[0] = isCompressed ? 1 : 0
  prefix.writeUInt32BE(message.length, 1)
  return prefix
}

export function tooLarge(bytes: number | string, bytesMax: number): Failure {
  return createFailure(
    'invalid-argument',
    'PAYLOAD_TOO_LARGE',
    `the request's message has ${bytes} bytes and the limit is ${bytesMax}: send less, or raise the runtime's payload limit`,
  )
}

function badFlag(flag: number): Failure {
  return createFailure(
    'invalid-argument',
    'BAD_FRAME',
    `a gRPC message starts with a flag of 0 or 1, this one with ${flag}: the body is not length-prefixed gRPC`,
  )
}
