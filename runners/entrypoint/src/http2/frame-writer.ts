/** What a connection writes: gathered over one turn of the event loop and handed to the socket at once. */
import type { Socket } from 'node:net'
import { FRAME_HEADER_BYTES } from './protocol.ts'

/** Holds some of the largest frames: copying one costs less than two more pieces of a write. */
const BUFFER_BYTES = 64 * 1024
/** Above it the peer reads too slowly: data waits in its streams, where it is counted. */
const BACKLOG_BYTES_MAX = 256 * 1024
/** Control frames can't wait in a stream: a peer that makes so many and reads none is cut off. */
const BACKLOG_BYTES_FATAL = 1024 * 1024

export type FrameWriter = {
  /** A whole frame. */
  frame(type: number, flags: number, streamId: number, payload: Uint8Array): void
  /** A frame whose payload is one or two 32-bit numbers. */
  numbers(type: number, streamId: number, first: number, second?: number): void
  /** Hands over what was gathered; happens by itself at the end of the turn. */
  flush(): void
  /** Data must wait until the socket's `drain`. */
  isFull(): boolean
}

/** Buffers that no write uses any more; of all connections, as idle ones need none. */
const spare: Buffer[] = []
const SPARE_MAX = 32

export function createFrameWriter(socket: Socket): FrameWriter {
  let buffer: Buffer | null = null
  /** The part of `buffer` that is in no piece yet is [`start`, `used`). */
  let start = 0
  let used = 0
  let gathered = 0
  let pieces: Uint8Array[] = []
  /** Buffers that `pieces` are made of. */
  let owned: Buffer[] = []
  let isScheduled = false

  const closePiece = () => {
    if (buffer !== null && used > start) pieces.push(buffer.subarray(start, used))
    start = used
  }

  const flush = () => {
    isScheduled = false
    closePiece()
    const written = pieces
    const buffers = owned
    pieces = []
    owned = []
    buffer = null
    gathered = 0
    if (socket.destroyed || written.length === 0) return
    const giveBack = () => {
      if (spare.length < SPARE_MAX) spare.push(...buffers)
    }
    socket.cork()
    for (const [i, piece] of written.entries())
      socket.write(piece, i === written.length - 1 ? giveBack : undefined)
    socket.uncork()
    if (socket.writableLength > BACKLOG_BYTES_FATAL) socket.destroy()
  }

  /** Room for `bytes` in one piece; `used` is moved behind it. Returns where it starts. */
  const reserve = (bytes: number): number => {
    if (!isScheduled) {
      isScheduled = true
      setImmediate(flush)
    }
    if (buffer === null || used + bytes > BUFFER_BYTES) {
      closePiece()
      buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)
      owned.push(buffer)
      start = used = 0
    }
    const at = used
    used += bytes
    gathered += bytes
    return at
  }

  const header = (at: number, length: number, type: number, flags: number, streamId: number) => {
    const target = buffer as Buffer
    target[at] = length >>> 16
    target[at + 1] = length >>> 8
    target[at + 2] = length
    target[at + 3] = type
    target[at + 4] = flags
    target.writeUInt32BE(streamId, at + 5)
  }

  return {
    frame(type, flags, streamId, payload) {
      const { length } = payload
      const at = reserve(FRAME_HEADER_BYTES + length)
      header(at, length, type, flags, streamId)
      ;(buffer as Buffer).set(payload, at + FRAME_HEADER_BYTES)
    },
    numbers(type, streamId, first, second) {
      const length = second === undefined ? 4 : 8
      const at = reserve(FRAME_HEADER_BYTES + length)
      header(at, length, type, 0, streamId)
      const target = buffer as Buffer
      target.writeUInt32BE(first, at + FRAME_HEADER_BYTES)
      if (second !== undefined) target.writeUInt32BE(second, at + FRAME_HEADER_BYTES + 4)
    },
    flush,
    isFull: () => socket.writableLength + gathered > BACKLOG_BYTES_MAX,
  }
}
