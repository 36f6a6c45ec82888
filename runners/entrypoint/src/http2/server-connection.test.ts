import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import fc from 'fast-check'
import {
  connectFrames,
  type Frame,
  rawFrame,
  type RawFrames,
  REQUEST,
  requestFrame,
  uint32,
} from '../testing/raw-frames.ts'
import { encodeHeaders } from './hpack-encoder.ts'
import type { Http2Stream } from './http2-stream.ts'
import { FLAG, FRAME, H2_ERROR, PREFACE, SETTING } from './protocol.ts'
import { ServerConnection } from './server-connection.ts'

const OK = encodeHeaders([[':status', '200']])
const TOO_LARGE = encodeHeaders([[':status', '431']])
const TRAILERS = encodeHeaders([['grpc-status', '0']])
const { endHeaders, endStream, padded, priority, ack } = FLAG
const EMPTY = Buffer.alloc(0)
const LIMITS = {
  streamsMax: 4,
  headerListBytesMax: 4_096,
  pingsMax: 20,
  settingsMax: 20,
  resetsMax: 20,
}

let server: Server
let port: number
const connections = new Set<ServerConnection>()
/** Codes of what was not taken. */
const refused: number[] = []

/** Sends the body back; 200,000 bytes at `/large`. What is sent to `/paused` is not read. */
function serve(stream: Http2Stream): void {
  const chunks: Buffer[] = []
  if (stream.headers.path === '/paused') stream.pause()
  stream.handler = {
    onData: (chunk) => void chunks.push(Buffer.from(chunk)),
    onEnd() {
      const { path } = stream.headers
      stream.respond(OK)
      stream.write(path === '/large' ? Buffer.alloc(200_000, 'x') : Buffer.concat(chunks))
      stream.end(TRAILERS)
    },
    onClose() {},
  }
}

beforeAll(async () => {
  server = createServer((socket) => {
    const connection = new ServerConnection(socket, LIMITS, {
      onStream: serve,
      onRefused: (code) => void refused.push(code),
      onHeadersTooLarge: (stream) => stream.respond(TOO_LARGE, true),
      onClose: () => void connections.delete(connection),
    })
    connections.add(connection)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(async () => {
  for (const connection of connections) connection.destroy()
  await new Promise((resolve) => void server.close(resolve))
})

const data = (streamId: number, bytes: Buffer, flags = 0) =>
  rawFrame(FRAME.data, flags, streamId, bytes)
const isEnd = (streamId: number) => (frame: Frame) =>
  frame.streamId === streamId && (frame.flags & endStream) !== 0
const bodyOf = ({ frames }: RawFrames, streamId: number) =>
  Buffer.concat(
    frames
      .filter((frame) => frame.type === FRAME.data && frame.streamId === streamId)
      .map(({ payload }) => payload),
  )

/** The connection still serves. */
async function expectAlive(client: RawFrames, streamId: number) {
  client.send(requestFrame(streamId))
  await client.receive(isEnd(streamId), 'an answer')
}

async function expectReset(client: RawFrames, streamId: number, code: number) {
  const isReset = (frame: Frame) => frame.type === FRAME.rstStream && frame.streamId === streamId
  expect((await client.receive(isReset, 'RST_STREAM')).payload).toEqual(uint32(code))
}

async function expectGoaway(client: RawFrames, code: number) {
  const goaway = await client.receive(({ type }) => type === FRAME.goaway, 'GOAWAY')
  expect(goaway.payload.readUInt32BE(4)).toBe(code)
  await client.closed()
}

describe('a connection', () => {
  test('begins with SETTINGS, acknowledges those of the peer and answers PING', async () => {
    await using client = await connectFrames(port)
    client.send(rawFrame(FRAME.ping, 0, 0, Buffer.from('12345678')))
    const isPong = (frame: Frame) => frame.type === FRAME.ping && frame.flags === ack
    expect((await client.receive(isPong, 'PING')).payload.toString()).toBe('12345678')
    expect(client.frames[0]?.type).toBe(FRAME.settings)
    expect(client.frames).toContainEqual({
      type: FRAME.settings,
      flags: ack,
      streamId: 0,
      payload: EMPTY,
    })
  })

  test('serves a request that arrives byte by byte', async () => {
    await using client = await connectFrames(port, false)
    const bytes = Buffer.concat([
      PREFACE,
      rawFrame(FRAME.settings),
      requestFrame(1, endHeaders),
      data(1, Buffer.from('slow'), endStream),
    ])
    for (const byte of bytes) client.send(Buffer.of(byte))
    await client.receive(isEnd(1), 'an answer')
    expect(bodyOf(client, 1).toString()).toBe('slow')
  })

  test('takes padding, priorities, continuations, unknown frames and trailers', async () => {
    await using client = await connectFrames(port)
    const block = encodeHeaders(REQUEST)
    client.send(
      rawFrame(
        FRAME.headers,
        padded | priority,
        1,
        Buffer.concat([
          Buffer.of(3),
          uint32(0),
          Buffer.of(7),
          block.subarray(0, 2),
          Buffer.alloc(3),
        ]),
      ),
      rawFrame(FRAME.continuation, 0, 1, block.subarray(2, 5)),
      rawFrame(FRAME.continuation, endHeaders, 1, block.subarray(5)),
      rawFrame(0xee, 0xff, 1, Buffer.from('extension')),
      rawFrame(FRAME.priority, 0, 9, Buffer.concat([uint32(1), Buffer.of(1)])),
      data(1, Buffer.concat([Buffer.of(2), Buffer.from('body'), Buffer.alloc(2)]), padded),
      rawFrame(FRAME.headers, endHeaders | endStream, 1, encodeHeaders([['x-trailer', '1']])),
    )
    await client.receive(isEnd(1), 'an answer')
    expect(bodyOf(client, 1).toString()).toBe('body')
  })

  test('confirms a smaller compression table before its next header block', async () => {
    await using client = await connectFrames(port)
    const setting = Buffer.alloc(6)
    setting.writeUInt16BE(SETTING.headerTableSize, 0)
    client.send(rawFrame(FRAME.settings, 0, 0, setting), requestFrame(1))
    const headers = await client.receive(({ type }) => type === FRAME.headers, 'HEADERS')
    expect(headers.payload[0]).toBe(0x20)
  })

  test('says goodbye, serves what was under way and ends', async () => {
    await using client = await connectFrames(port)
    client.send(requestFrame(1, endHeaders, [...REQUEST.slice(0, 2), [':path', '/echo']]))
    await waitUntil('the stream is open', () => [...connections].some((c) => c.streamCount === 1))
    for (const connection of connections) connection.close()
    const ping = await client.receive(({ type }) => type === FRAME.ping, 'PING')
    client.send(requestFrame(3, endHeaders), rawFrame(FRAME.ping, ack, 0, ping.payload))
    const isFinal = (frame: Frame) =>
      frame.type === FRAME.goaway && frame.payload.readUInt32BE(0) === 3
    await client.receive(isFinal, 'the final GOAWAY')
    client.send(
      requestFrame(5),
      data(1, Buffer.from('first'), endStream),
      data(3, Buffer.from('late'), endStream),
    )
    await client.receive(isEnd(3), 'the last answer')
    await client.closed()
    expect(bodyOf(client, 1).toString()).toBe('first')
    expect(bodyOf(client, 3).toString()).toBe('late')
    await expectReset(client, 5, H2_ERROR.refusedStream)
  })
})

describe('flow control', () => {
  const setInitialWindow = (bytes: number) => {
    const setting = Buffer.alloc(6)
    setting.writeUInt16BE(SETTING.initialWindowSize, 0)
    setting.writeUInt32BE(bytes, 2)
    return rawFrame(FRAME.settings, 0, 0, setting)
  }
  const credit = (streamId: number, bytes: number) =>
    rawFrame(FRAME.windowUpdate, 0, streamId, uint32(bytes))
  const large = (streamId: number) =>
    requestFrame(streamId, endHeaders | endStream, [...REQUEST.slice(0, 2), [':path', '/large']])

  test('an answer waits for both windows and comes whole', async () => {
    await using client = await connectFrames(port)
    client.send(setInitialWindow(1_000), large(1))
    await waitUntil('the first window', () => bodyOf(client, 1).length === 1_000)
    client.send(credit(1, 500))
    await waitUntil('the second window', () => bodyOf(client, 1).length === 1_500)
    client.send(credit(1, 1_000_000))
    await waitUntil('the connection window', () => bodyOf(client, 1).length === 65_535)
    client.send(credit(0, 1_000_000))
    await client.receive(isEnd(1), 'the end')
    expect(bodyOf(client, 1).length).toBe(200_000)
  })

  test('a smaller initial window may make a stream owe, and nothing is sent until it is paid', async () => {
    await using client = await connectFrames(port)
    client.send(setInitialWindow(100), large(1))
    await waitUntil('100 bytes', () => bodyOf(client, 1).length === 100)
    client.send(setInitialWindow(0), credit(1, 100))
    // Answered behind those frames, so that they have been heard.
    client.send(rawFrame(FRAME.ping, 0, 0, Buffer.alloc(8)))
    await client.receive(({ type }) => type === FRAME.ping, 'PING')
    expect(bodyOf(client, 1).length).toBe(100)
    client.send(credit(1, 1))
    await waitUntil('one more', () => bodyOf(client, 1).length === 101)
  })

  test('a blocked answer does not hold up others', async () => {
    await using client = await connectFrames(port)
    client.send(large(1))
    await waitUntil('the connection window', () => bodyOf(client, 1).length === 65_535)
    client.send(large(3), credit(0, 400_000), credit(3, 400_000))
    await client.receive(isEnd(3), 'the second answer')
    expect(bodyOf(client, 3).length).toBe(200_000)
    expect(bodyOf(client, 1).length).toBe(65_535)
  })

  test('answers take turns on the connection, whoever waits for a window of its own', async () => {
    await using client = await connectFrames(port)
    // The first one's window is all used, and then becomes less than nothing.
    client.send(setInitialWindow(70_000), large(1))
    await waitUntil('the connection window', () => bodyOf(client, 1).length === 65_535)
    client.send(setInitialWindow(10), large(3), large(5), credit(3, 30_000), credit(5, 30_000))
    client.send(credit(0, 40_000))
    await waitUntil('both have moved', () => {
      const [third, fifth] = [bodyOf(client, 3).length, bodyOf(client, 5).length]
      return third >= 16_384 && fifth >= 7_000 && third + fifth === 40_000
    })
    expect(bodyOf(client, 1).length).toBe(65_535)
    client.send(credit(0, 1_000_000), ...[1, 3, 5].map((id) => credit(id, 300_000)))
    await Promise.all([1, 3, 5].map((id) => client.receive(isEnd(id), 'an end')))
    expect([1, 3, 5].map((id) => bodyOf(client, id).length)).toEqual([200_000, 200_000, 200_000])
  })

  test('a body of many windows is taken, as windows are renewed', async () => {
    await using client = await connectFrames(port)
    client.send(requestFrame(1, endHeaders), credit(1, 4_000_000), credit(0, 4_000_000))
    const piece = Buffer.alloc(16_384, 'y')
    let stream = 256 * 1024
    let connection = 1024 * 1024
    const update = (streamId: number) =>
      client.frames
        .filter((frame) => frame.type === FRAME.windowUpdate && frame.streamId === streamId)
        .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0)
    for (let sent = 0; sent < 200; sent++) {
      const used = (sent + 1) * piece.length
      await waitUntil('room', () => {
        stream = 256 * 1024 + update(1)
        // The first update raises the connection's window to 1 MiB.
        connection = 65_535 + update(0)
        return used <= stream && used <= connection
      })
      client.send(data(1, piece, sent === 199 ? endStream : 0))
    }
    await client.receive(isEnd(1), 'the echo')
    expect(bodyOf(client, 1).length).toBe(200 * piece.length)
  })

  test('more than the window of a stream that is not read is refused', async () => {
    await using client = await connectFrames(port)
    client.send(
      requestFrame(1, endHeaders, [...REQUEST.slice(0, 2), [':path', '/paused']]),
      ...Array.from({ length: 17 }, () => data(1, Buffer.alloc(16_384))),
    )
    await expectReset(client, 1, H2_ERROR.flowControlError)
    await expectAlive(client, 3)
  })
})

describe('a stream error ends the stream and not the connection', () => {
  const open = requestFrame(1, endHeaders)
  const { protocolError, streamClosed, flowControlError, refusedStream } = H2_ERROR
  const withFields = (...fields: [string, string][]) =>
    requestFrame(1, endHeaders | endStream, fields)
  const more = (name: string, value: string) => withFields(...REQUEST, [name, value])
  test.each<[string, number, Buffer[]]>([
    ['no :path', protocolError, [withFields(...REQUEST.slice(0, 2))]],
    ['no :method', protocolError, [withFields(...REQUEST.slice(1))]],
    ['an empty :path', protocolError, [withFields(...REQUEST.slice(0, 2), [':path', ''])]],
    ['two :method', protocolError, [withFields([':method', 'GET'], ...REQUEST)]],
    ['an unknown pseudo-header', protocolError, [withFields([':status', '200'], ...REQUEST)]],
    ['a pseudo-header behind others', protocolError, [more(':protocol', 'x')]],
    ['an upper case name', protocolError, [more('X-Upper', 'x')]],
    ['a header of HTTP/1', protocolError, [more('connection', 'close')]],
    ['te other than trailers', protocolError, [more('te', 'gzip')]],
    ['content-length unlike the body', protocolError, [more('content-length', '1')]],
    ['trailers that do not end the request', protocolError, [open, requestFrame(1, endHeaders)]],
    ['DATA after the end', streamClosed, [requestFrame(1), data(1, Buffer.from('x'))]],
    ['a window of 0 more', protocolError, [open, rawFrame(FRAME.windowUpdate, 0, 1, uint32(0))]],
    [
      'a window over 2^31-1',
      flowControlError,
      [open, rawFrame(FRAME.windowUpdate, 0, 1, uint32(0x7fff_ffff))],
    ],
  ])('%s', async (_what, code, frames) => {
    await using client = await connectFrames(port)
    client.send(...frames)
    await expectReset(client, 1, code)
    await expectAlive(client, 3)
  })

  test('a stream over the advertised number is refused', async () => {
    await using client = await connectFrames(port)
    client.send(...[1, 3, 5, 7, 9].map((id) => requestFrame(id, endHeaders)))
    await expectReset(client, 9, refusedStream)
    client.send(data(1, EMPTY, endStream))
    await client.receive(isEnd(1), 'an answer')
    await expectAlive(client, 11)
  })

  test('headers beyond the limit are answered as such, and the compression goes on', async () => {
    await using client = await connectFrames(port)
    client.send(more('x-large', 'v'.repeat(5_000)))
    const answer = await client.receive((frame) => frame.streamId === 1, 'an answer')
    expect(answer).toMatchObject({ type: FRAME.headers, flags: endHeaders | endStream })
    expect(answer.payload).toEqual(TOO_LARGE)
    await expectAlive(client, 3)
  })

  test('what comes for a stream that was reset here is ignored', async () => {
    await using client = await connectFrames(port)
    client.send(open, rawFrame(FRAME.windowUpdate, 0, 1, uint32(0)))
    await expectReset(client, 1, protocolError)
    client.send(
      data(1, Buffer.from('late')),
      rawFrame(FRAME.headers, endHeaders | endStream, 1, encodeHeaders([['x-late', '1']])),
    )
    await expectAlive(client, 3)
    expect(client.frames.filter(({ type }) => type === FRAME.rstStream)).toHaveLength(1)
  })
})

describe('a connection error is told and ends the connection', () => {
  const { protocolError, frameSizeError, flowControlError, compressionError, streamClosed } =
    H2_ERROR
  const setting = (id: number, value: number) => {
    const payload = Buffer.alloc(6)
    payload.writeUInt16BE(id, 0)
    payload.writeUInt32BE(value, 2)
    return rawFrame(FRAME.settings, 0, 0, payload)
  }
  test.each<[string, number, Buffer[]]>([
    ['a frame over the size limit', frameSizeError, [data(1, Buffer.alloc(16_385))]],
    ['DATA on stream 0', protocolError, [data(0, EMPTY)]],
    ['DATA on an idle stream', protocolError, [data(1, EMPTY)]],
    ['HEADERS on stream 0', protocolError, [requestFrame(0)]],
    ['HEADERS on an even stream', protocolError, [requestFrame(2)]],
    ['a stream id that goes down', streamClosed, [requestFrame(5), requestFrame(3)]],
    ['HEADERS on a closed stream', streamClosed, [requestFrame(1), requestFrame(1)]],
    [
      'padding as long as its frame',
      protocolError,
      [requestFrame(1, endHeaders), data(1, Buffer.of(1), padded)],
    ],
    [
      'a frame inside a header block',
      protocolError,
      [requestFrame(1, 0), rawFrame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    ],
    [
      'a CONTINUATION of another stream',
      protocolError,
      [requestFrame(1, 0), rawFrame(FRAME.continuation, endHeaders, 3)],
    ],
    ['a CONTINUATION of nothing', protocolError, [rawFrame(FRAME.continuation, endHeaders, 1)]],
    [
      'a header block without meaning',
      compressionError,
      [rawFrame(FRAME.headers, endHeaders, 1, Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff))],
    ],
    ['PUSH_PROMISE', protocolError, [rawFrame(FRAME.pushPromise, endHeaders, 1, uint32(2))]],
    ['RST_STREAM on an idle stream', protocolError, [rawFrame(FRAME.rstStream, 0, 1, uint32(0))]],
    [
      'RST_STREAM of 3 bytes',
      frameSizeError,
      [requestFrame(1), rawFrame(FRAME.rstStream, 0, 1, Buffer.alloc(3))],
    ],
    ['PING of 7 bytes', frameSizeError, [rawFrame(FRAME.ping, 0, 0, Buffer.alloc(7))]],
    ['PING on a stream', protocolError, [rawFrame(FRAME.ping, 0, 1, Buffer.alloc(8))]],
    ['SETTINGS of 5 bytes', frameSizeError, [rawFrame(FRAME.settings, 0, 0, Buffer.alloc(5))]],
    ['SETTINGS on a stream', protocolError, [rawFrame(FRAME.settings, 0, 1)]],
    [
      'a SETTINGS acknowledgement with content',
      frameSizeError,
      [rawFrame(FRAME.settings, ack, 0, Buffer.alloc(6))],
    ],
    ['ENABLE_PUSH of 2', protocolError, [setting(SETTING.enablePush, 2)]],
    [
      'INITIAL_WINDOW_SIZE over 2^31-1',
      flowControlError,
      [setting(SETTING.initialWindowSize, 0x8000_0000)],
    ],
    ['MAX_FRAME_SIZE below 16384', protocolError, [setting(SETTING.maxFrameSize, 1)]],
    [
      'a connection window of 0 more',
      protocolError,
      [rawFrame(FRAME.windowUpdate, 0, 0, uint32(0))],
    ],
    [
      'a connection window over 2^31-1',
      flowControlError,
      [rawFrame(FRAME.windowUpdate, 0, 0, uint32(0x7fff_ffff))],
    ],
    [
      'WINDOW_UPDATE of 5 bytes',
      frameSizeError,
      [rawFrame(FRAME.windowUpdate, 0, 0, Buffer.alloc(5))],
    ],
    ['GOAWAY on a stream', protocolError, [rawFrame(FRAME.goaway, 0, 1, Buffer.alloc(8))]],
    [
      'PRIORITY of itself',
      protocolError,
      [rawFrame(FRAME.priority, 0, 1, Buffer.concat([uint32(1), Buffer.of(0)]))],
    ],
  ])('%s', async (_what, code, frames) => {
    await using client = await connectFrames(port)
    client.send(...frames)
    await expectGoaway(client, code)
  })

  test('a first frame that is not SETTINGS', async () => {
    await using client = await connectFrames(port, false)
    client.send(PREFACE, rawFrame(FRAME.ping, 0, 0, Buffer.alloc(8)))
    await expectGoaway(client, protocolError)
  })

  test('something else than the preface', async () => {
    await using client = await connectFrames(port, false)
    client.send(Buffer.from('PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n'))
    await expectGoaway(client, protocolError)
  })
})

describe('a flood', () => {
  test.each<[string, () => Buffer]>([
    ['pings', () => rawFrame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', () => rawFrame(FRAME.settings)],
    ['CONTINUATION', () => rawFrame(FRAME.continuation, 0, 1)],
  ])('of %s ends the connection', async (what, frame) => {
    await using client = await connectFrames(port)
    if (what === 'CONTINUATION') client.send(requestFrame(1, 0))
    refused.length = 0
    for (let i = 0; i < 100; i++) client.send(frame())
    await expectGoaway(client, H2_ERROR.enhanceYourCalm)
    expect(refused).toEqual([H2_ERROR.enhanceYourCalm])
  })

  test('of header bytes ends the connection, which says why', async () => {
    await using client = await connectFrames(port)
    const piece = Buffer.alloc(16_384, 'x')
    client.send(rawFrame(FRAME.headers, 0, 1, piece))
    for (let i = 0; i < 4; i++) client.send(rawFrame(FRAME.continuation, 0, 1, piece))
    const goaway = await client.receive(({ type }) => type === FRAME.goaway, 'GOAWAY')
    expect(goaway.payload.readUInt32BE(4)).toBe(H2_ERROR.enhanceYourCalm)
    expect(goaway.payload.subarray(8).toString()).toContain('more than 65536 bytes')
    await client.closed()
  })

  test('of streams that are opened and given up ends the connection', async () => {
    await using client = await connectFrames(port)
    for (let i = 0; i < 50; i++) {
      const id = i * 2 + 1
      client.send(requestFrame(id, endHeaders), rawFrame(FRAME.rstStream, 0, id, uint32(8)))
    }
    await expectGoaway(client, H2_ERROR.enhanceYourCalm)
  })
})

test('whatever frames come, the server lives', async () => {
  const anyFrame = fc
    .record({
      type: fc.nat({ max: 11 }),
      flags: fc.constantFrom(0, 1, 4, 5, 8, 0x20, 0x2d, 0xff),
      streamId: fc.constantFrom(0, 1, 2, 3, 5, 0x7fff_ffff),
      payload: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.constant(new Uint8Array(encodeHeaders(REQUEST))),
      ),
    })
    .map(({ type, flags, streamId, payload }) =>
      rawFrame(type, flags, streamId, Buffer.from(payload)),
    )
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { minLength: 1, maxLength: 12 }), async (frames) => {
      await using client = await connectFrames(port)
      client.send(...frames)
      client.socket.end()
      await client.closed()
    }),
    { numRuns: 200 },
  )
  await using client = await connectFrames(port)
  await expectAlive(client, 1)
  await waitUntil('only this connection is left', () => connections.size === 1)
})
