/** gRPC's length-prefixed messages (grpc/doc/PROTOCOL-HTTP2.md): 1 byte compressed flag, 4 bytes length, message. */
import { createFailure, type Failure, RETRY_AFTER_MS } from './failure.ts'

const PREFIX_BYTES = 5
/** Space given to a message before its bytes have come: a declared length is only a claim. */
const FIRST_BYTES = 4096

export type FrameReader = {
  push(chunk: Uint8Array): void
  /** Whether bytes of an unfinished frame are waiting. */
  isInsideFrame(): boolean
  /** Nothing is reported any more. */
  stop(): void
}

/**
 * Cuts a stream into messages. Each message is a copy of its own, so that a small one never keeps a large
 * network buffer alive, and memory grows with what has arrived.
 */
export function createFrameReader(options: {
  bytesMax: number
  /** Asked before memory grows; false ends the reading with RESOURCE_EXHAUSTED. */
  reserve: (bytes: number) => boolean
  onMessage: (message: Uint8Array, isCompressed: boolean) => void
  onFailure: (failure: Failure) => void
}): FrameReader {
  const prefix = new Uint8Array(PREFIX_BYTES)
  let prefixHas = 0
  let message = Buffer.alloc(0)
  let has = 0
  let wants = 0
  let isStopped = false

  const fail = (failure: Failure) => {
    isStopped = true
    message = Buffer.alloc(0)
    options.onFailure(failure)
  }

  /** Checks a complete prefix and makes the first room. */
  const begin = (): boolean => {
    wants = Buffer.from(prefix.buffer).readUInt32BE(1)
    const flag = prefix[0] as number
    if (flag > 1) fail(badFlag(flag))
    else if (wants > options.bytesMax) fail(tooLarge(wants, options.bytesMax))
    else return grow(Math.min(wants, FIRST_BYTES))
    return false
  }

  const grow = (bytes: number): boolean => {
    if (!options.reserve(bytes - message.length)) {
      fail(noMemory())
      return false
    }
    // Small ones share a pool, which costs less than memory of their own; none outlives its request.
    const larger = Buffer.allocUnsafe(bytes)
    larger.set(message.subarray(0, has))
    message = larger
    return true
  }

  /** Takes what belongs to the current message; returns how many bytes that was, -1 after a failure. */
  const fill = (chunk: Uint8Array, at: number): number => {
    const take = Math.min(wants - has, chunk.length - at)
    if (has + take > message.length) {
      const roomMin = has + take
      if (!grow(Math.min(wants, Math.max(roomMin, message.length * 2)))) return -1
    }
    message.set(chunk.subarray(at, at + take), has)
    has += take
    return take
  }

  return {
    push(chunk) {
      let at = 0
      while (!isStopped && at < chunk.length) {
        if (prefixHas < PREFIX_BYTES) {
          prefix[prefixHas++] = chunk[at++] as number
          if (prefixHas < PREFIX_BYTES) continue
          if (!begin()) return
        }
        const taken = fill(chunk, at)
        if (taken < 0) return
        at += taken
        if (has < wants) return
        const complete = message
        const isCompressed = prefix[0] === 1
        message = Buffer.alloc(0)
        prefixHas = 0
        has = 0
        options.onMessage(complete, isCompressed)
      }
    },
    isInsideFrame: () => prefixHas > 0,
    stop() {
      isStopped = true
      message = Buffer.alloc(0)
    },
  }
}

/** One message with its prefix, ready to be written. */
export function encodeFrame(message: Uint8Array, isCompressed = false): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  frame[0] = isCompressed ? 1 : 0
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, PREFIX_BYTES)
  return frame
}

export function tooLarge(bytes: number | string, bytesMax: number): Failure {
  return createFailure(
    'invalid-argument',
    'PAYLOAD_TOO_LARGE',
    `the request's message has ${bytes} bytes and the limit is ${bytesMax}: send less, or raise the runtime's payload limit`,
  )
}

function noMemory(): Failure {
  return createFailure(
    'resource-exhausted',
    'BYTES_IN_FLIGHT',
    'the entrypoint holds as many request bytes as it may: try again',
    { retryAfterMs: RETRY_AFTER_MS },
  )
}

function badFlag(flag: number): Failure {
  return createFailure(
    'invalid-argument',
    'BAD_FRAME',
    `a gRPC message starts with a flag of 0 or 1, this one with ${flag}: the body is not length-prefixed gRPC`,
  )
}
