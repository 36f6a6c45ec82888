import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Envelope, ProtoWriter } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { encodeHeaders } from '../http2/hpack-encoder.ts'
import { FLAG, FRAME } from '../http2/protocol.ts'
import { demoInterface, GREET } from '../testing/demo-version.ts'
import { type FrameSender, openSender } from '../testing/frame-sender.ts'
import { frame } from '../testing/raw-client.ts'
import { connectFrames, rawFrame, type RawFrames, uint32 } from '../testing/raw-frames.ts'
import { openScene, type Scene } from '../testing/scene.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const served = {
  methods: demoInterface('').methods.map((method) => ({ ...method, serverStreaming: true })),
}
const openStreaming = (options: Parameters<typeof openScene>[1] = {}) =>
  openScene(nats, { served, ...options })

const TEXT_BYTES = 40_000
const FRAMES = 400
const MESSAGE = (() => {
  const writer = new ProtoWriter(TEXT_BYTES + 16)
  writer.string(1, 'x'.repeat(TEXT_BYTES))
  return writer.finish()
})()
/** What a node may send ahead, the answer's room in sockets, and base64 around it: far less than the whole answer. */
const HELD_BYTES_MAX = 3_000_000

const BODIES = {
  'application/json': Buffer.from('{}'),
  'application/grpc-web': frame(MESSAGE.subarray(0, 0)),
  'application/grpc-web-text': Buffer.from(frame('').toString('base64')),
} as const
type ContentType = keyof typeof BODIES
const CONTENT_TYPES = Object.keys(BODIES) as ContentType[]

/** Asks and does not read. */
type Reader = {
  /** Reads everything from now on. */
  resume(): void
  /** Of the answer, as they were read. */
  bytes(): number
  vanish(): void
}

async function askHttp1(scene: Scene, type: ContentType): Promise<Reader> {
  const socket: Socket = connect(scene.entrypoint.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const body = BODIES[type]
  socket.write(
    `POST ${GREET} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`,
  )
  socket.write(body)
  let bytes = 0
  return {
    resume: () => void socket.on('data', (chunk: Buffer) => (bytes += chunk.length)),
    bytes: () => bytes,
    vanish: () => void socket.destroy(),
  }
}

async function askHttp2(scene: Scene, type: ContentType): Promise<Reader> {
  const client: RawFrames = await connectFrames(scene.entrypoint.port)
  const fields: [string, string][] = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', GREET],
    [':authority', 'test'],
    ['content-type', type],
  ]
  client.send(
    rawFrame(FRAME.headers, FLAG.endHeaders, 1, Buffer.from(encodeHeaders(fields))),
    rawFrame(FRAME.data, FLAG.endStream, 1, BODIES[type]),
  )
  return {
    resume() {
      // Both windows as large as they may be: nothing waits any more.
      client.send(
        rawFrame(FRAME.windowUpdate, 0, 0, uint32(2 ** 30)),
        rawFrame(FRAME.windowUpdate, 0, 1, uint32(2 ** 30)),
      )
    },
    bytes: () =>
      client.frames.reduce(
        (sum, { type: kind, payload }) => sum + (kind === FRAME.data ? payload.length : 0),
        0,
      ),
    vanish: () => void client.socket.destroy(),
  }
}

async function begin(
  scene: Scene,
  ask: typeof askHttp1,
  type: ContentType,
): Promise<{ reader: Reader; sender: FrameSender; request: Envelope; cancelled: string[] }> {
  const node = scene.startNode({ handler: () => null })
  const reader = await ask(scene, type)
  await waitUntil('the request is there', () => node.requests.length === 1)
  const request = node.requests[0] as Envelope
  return { reader, sender: openSender(scene, request), request, cancelled: node.cancelled }
}

/** Resolves when a sender has stood still for some turns. */
async function stalled(scene: Scene, sender: FrameSender) {
  let before = -1
  await waitUntil('the sender waits for credit', async () => {
    const isSame = before === sender.sent && scene.entrypoint.stats().bytes > 0
    before = sender.sent
    await scene.nats.flush()
    await new Promise((resolve) => setTimeout(resolve, 100))
    return isSame && before === sender.sent
  })
}

describe.each([
  ['HTTP/1.1', askHttp1],
  ['HTTP/2', askHttp2],
] as const)('over %s', (_protocol, ask) => {
  test.each(CONTENT_TYPES)('a slow reader of %s holds back the node', async (type) => {
    await using scene = await openStreaming()
    const { reader, sender } = await begin(scene, ask, type)
    sender.run(MESSAGE, FRAMES)
    await stalled(scene, sender)
    expect(sender.sent).toBeLessThan(FRAMES / 2)
    expect(scene.entrypoint.stats().bytes).toBeLessThan(HELD_BYTES_MAX)
    reader.resume()
    await waitUntil('the whole answer', () => reader.bytes() >= TEXT_BYTES * FRAMES)
    await waitUntil('nothing held', () => scene.entrypoint.stats().bytes === 0)
    expect(scene.entrypoint.stats()).toMatchObject({ answered: 1, inFlight: 0 })
    expect(sender.stops).toEqual([])
    reader.vanish()
  })

  test.each(CONTENT_TYPES)('a reader of %s that vanishes frees everything', async (type) => {
    await using scene = await openStreaming()
    const { reader, sender, request, cancelled } = await begin(scene, ask, type)
    sender.run(MESSAGE, FRAMES)
    await stalled(scene, sender)
    reader.vanish()
    await waitUntil('cancelled', () => scene.entrypoint.stats().cancelled === 1)
    await waitUntil('nothing held', () => scene.entrypoint.stats().bytes === 0)
    await waitUntil('the sender is told', () => sender.stops.length === 1)
    await waitUntil('the node is told', () => cancelled.includes(request.requestId))
    expect(scene.entrypoint.stats().inFlight).toBe(0)
    // Frames on their way are of no use to anybody, and held by nobody.
    sender.send(MESSAGE)
    await waitUntil('counted', () => scene.entrypoint.stats().lateReplies > 0)
    expect(scene.entrypoint.stats().bytes).toBe(0)
  })
})

test('who never takes the end of a stream is cut off', async () => {
  await using scene = await openStreaming({ limits: { flushMs: 150 } })
  const { sender } = await begin(scene, askHttp2, 'application/json')
  // As much as a node sends without credit, so that it comes to its end.
  sender.run(MESSAGE, 20)
  await waitUntil('answered', () => scene.entrypoint.stats().answered === 1)
  await waitUntil('nothing held', () => scene.entrypoint.stats().bytes === 0)
})

describe('requests that wait behind another one on their connection', () => {
  const one = `POST ${GREET} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`

  test('are cancelled with it, when the caller vanishes', async () => {
    await using scene = await openScene(nats, { limits: { halfCloseMs: 0 } })
    const node = scene.startNode({ handler: () => null })
    const socket = connect(scene.entrypoint.port, '127.0.0.1')
    socket.write(one.repeat(5))
    await waitUntil('in flight', () => node.requests.length === 5)
    socket.destroy()
    await waitUntil('cancelled', () => scene.entrypoint.stats().cancelled === 5)
    await waitUntil('the node is told', () => node.cancelled.length === 5)
    expect(scene.entrypoint.stats()).toMatchObject({ inFlight: 0, bytes: 0 })
  })

  test('and stream hold back their nodes, and go on when it is their turn', async () => {
    await using scene = await openStreaming()
    const node = scene.startNode({ handler: () => null })
    const socket = connect(scene.entrypoint.port, '127.0.0.1')
    let bytes = 0
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
    socket.write(one.repeat(2))
    await waitUntil('in flight', () => node.requests.length === 2)
    const sender = openSender(scene, node.requests[1] as Envelope)
    sender.run(MESSAGE, FRAMES)
    await stalled(scene, sender)
    expect(sender.sent).toBeLessThan(FRAMES / 2)
    openSender(scene, node.requests[0] as Envelope).end()
    await waitUntil('the whole answer', () => bytes >= TEXT_BYTES * FRAMES)
    await waitUntil('nothing held', () => scene.entrypoint.stats().bytes === 0)
    socket.destroy()
  })

  test('are given back, when they are answered and the caller vanishes', async () => {
    await using scene = await openScene(nats, { limits: { halfCloseMs: 0 } })
    const node = scene.startNode({ handler: () => null })
    const socket = connect(scene.entrypoint.port, '127.0.0.1')
    socket.write(one.repeat(5))
    await waitUntil('in flight', () => node.requests.length === 5)
    // All but the first, for which they wait.
    for (const request of node.requests.slice(1)) node.reply(request, { value: MESSAGE })
    await waitUntil('answered', () => scene.entrypoint.stats().answered === 4)
    expect(scene.entrypoint.stats().bytes).toBeGreaterThan(4 * TEXT_BYTES)
    socket.destroy()
    await waitUntil('cancelled', () => scene.entrypoint.stats().cancelled === 1)
    await waitUntil('nothing held', () => scene.entrypoint.stats().bytes === 0)
  })
})
