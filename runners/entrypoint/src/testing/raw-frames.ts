/** A client that speaks HTTP/2 frames by hand, right or wrong. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { FrameParser } from '../http2/frame-parser.ts'
import { encodeHeaders } from '../http2/hpack-encoder.ts'
import { FLAG, FRAME, PREFACE } from '../http2/protocol.ts'
import { waitUntil } from '@kre/service-kit'

export type Frame = { type: number; flags: number; streamId: number; payload: Buffer }

export type RawFrames = AsyncDisposable & {
  readonly socket: Socket
  /** Everything that has come so far. */
  readonly frames: Frame[]
  readonly isClosed: boolean
  send(...frames: Buffer[]): void
  /** The first frame that fits, now or later. */
  receive(fits: (frame: Frame) => boolean, what: string): Promise<Frame>
  closed(): Promise<void>
}

export function rawFrame(
  type: number,
  flags = 0,
  streamId = 0,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(streamId, 5)
  return Buffer.concat([header, payload])
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, i * 4)
  return bytes
}

export const REQUEST: [string, string][] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/echo'],
  [':authority', 'test'],
]

/** HEADERS of a request that is complete with them, unless `flags` say otherwise. */
export function requestFrame(
  streamId: number,
  flags: number = FLAG.endHeaders | FLAG.endStream,
  fields: [string, string][] = REQUEST,
): Buffer {
  return rawFrame(FRAME.headers, flags, streamId, encodeHeaders(fields))
}

/** @param hello whether the preface and empty SETTINGS are sent. */
export async function connectFrames(port: number, hello = true): Promise<RawFrames> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const frames: Frame[] = []
  let isClosed = false
  const parser = new FrameParser(Buffer.alloc(0), (type, flags, streamId, payload) => {
    frames.push({ type, flags, streamId, payload: Buffer.from(payload) })
  })
  socket.on('data', (chunk: Buffer) => parser.push(chunk))
  socket.on('close', () => void (isClosed = true))
  if (hello) socket.write(Buffer.concat([PREFACE, rawFrame(FRAME.settings)]))
  return {
    socket,
    frames,
    get isClosed() {
      return isClosed
    },
    send: (...parts) => void socket.write(Buffer.concat(parts)),
    async receive(fits, what) {
      await waitUntil(what, () => isClosed || frames.some(fits))
      const frame = frames.find(fits)
      if (frame === undefined) throw new Error(`the connection closed without ${what}`)
      return frame
    },
    async closed() {
      await waitUntil('the connection closes', () => isClosed)
    },
    async [Symbol.asyncDispose]() {
      socket.destroy()
      await waitUntil('the socket closes', () => isClosed)
    },
  }
}
