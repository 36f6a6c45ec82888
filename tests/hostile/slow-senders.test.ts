/** Callers who take their time, so that others find no room. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { FLAG, FRAME, PREFACE } from '../../runners/entrypoint/src/http2/protocol.ts'
import { GREET } from '../../runners/entrypoint/src/testing/demo-version.ts'
import { connectRaw, frame } from '../../runners/entrypoint/src/testing/raw-client.ts'
import { rawFrame, requestFrame } from '../../runners/entrypoint/src/testing/raw-frames.ts'
import { openScene } from '../../runners/entrypoint/src/testing/scene.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const GRPC: [string, string][] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', GREET],
  [':authority', 'test'],
  ['content-type', 'application/grpc'],
]
const HELLO = Buffer.concat([PREFACE, rawFrame(FRAME.settings)])
const LIMITS = { receiveMs: 150, handshakeMs: 150, idleMs: 400, sweepMs: 20 }

type Dribble = { readonly socket: Socket; readonly received: () => string; stop(): void }

/** Sends the first part at once, and then a byte every few milliseconds for as long as it is let. */
async function dribble(port: number, first: Buffer | string, rest: Buffer | string) {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  let received = ''
  socket.on('data', (chunk) => void (received += chunk.toString('latin1')))
  await once(socket, 'connect')
  socket.write(first)
  const bytes = Buffer.from(rest)
  let at = 0
  const timer = setInterval(() => {
    if (at < bytes.length) socket.write(bytes.subarray(at, ++at))
  }, 10)
  socket.on('close', () => clearInterval(timer))
  const slow: Dribble = { socket, received: () => received, stop: () => void socket.destroy() }
  return slow
}

const HTTP1 = `POST ${GREET} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`

describe('who sends a byte at a time is cut off', () => {
  test.each<[string, Buffer | string, Buffer | string]>([
    ['in the preface of HTTP/2', '', PREFACE.subarray(0, -1)],
    ['in the request line of HTTP/1', '', `POST /${'x'.repeat(5_000)}`],
    ['in the headers of HTTP/1', HTTP1, `x-slow: ${'x'.repeat(5_000)}`],
    [
      'in a header block of HTTP/2',
      Buffer.concat([HELLO, requestFrame(1, 0, GRPC)]),
      rawFrame(FRAME.continuation, 0, 1, Buffer.alloc(5_000, 'x')),
    ],
    ['in a frame of HTTP/2', HELLO, rawFrame(FRAME.headers, 0, 1, Buffer.alloc(5_000, 'x'))],
  ])('%s', async (_where, first, rest) => {
    await using scene = await openScene(nats, { limits: LIMITS })
    const slow = await dribble(scene.entrypoint.port, first, rest)
    // With a reset or without: `once` would throw at the first.
    await waitUntil('cut off', () => slow.socket.closed)
    expect(scene.entrypoint.stats()).toMatchObject({ bytes: 0, receiving: 0 })
  })

  test('in the body of HTTP/1, with 408', async () => {
    await using scene = await openScene(nats, { limits: LIMITS })
    const head = `${HTTP1}content-length: 90000\r\n\r\n`
    const slow = await dribble(scene.entrypoint.port, head, ' '.repeat(5_000))
    await waitUntil('told', () => slow.received().includes('HTTP/1.1 408 '))
    await waitUntil('released', () => scene.entrypoint.stats().bytes === 0)
    expect(scene.entrypoint.stats().receiving).toBe(0)
    slow.stop()
  })

  test('in a chunk of HTTP/1, with 408', async () => {
    await using scene = await openScene(nats, { limits: LIMITS })
    const head = `${HTTP1}transfer-encoding: chunked\r\n\r\n1388\r\n`
    const slow = await dribble(scene.entrypoint.port, head, ' '.repeat(5_000))
    await waitUntil('told', () => slow.received().includes('HTTP/1.1 408 '))
    slow.stop()
  })

  test('in a message of gRPC, with DEADLINE_EXCEEDED', async () => {
    await using scene = await openScene(nats, { limits: LIMITS })
    const first = Buffer.concat([HELLO, requestFrame(1, FLAG.endHeaders, GRPC)])
    const slow = await dribble(
      scene.entrypoint.port,
      first,
      rawFrame(FRAME.data, 0, 1, frame(Buffer.alloc(5_000))),
    )
    await waitUntil('told', () => slow.received().includes('arrive completely'))
    expect(scene.entrypoint.stats()).toMatchObject({ bytes: 0, receiving: 0 })
    slow.stop()
  })
})

test('who holds all connections loses them, and others are served', async () => {
  await using scene = await openScene(nats, { limits: { ...LIMITS, connectionsMax: 40 } })
  scene.startNode()
  const begun = ['PRI', 'GET / HT', `${HTTP1}x-slow: `, HELLO]
  const crowd = await Promise.all(
    Array.from({ length: 60 }, (_, i) => {
      const socket = connect(scene.entrypoint.port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(begun[i % begun.length] ?? '')
      return once(socket, 'connect').then(() => socket)
    }),
  )
  // The one that was there before them is served all the time, and goes when it is idle.
  expect((await scene.client.call(GREET, frame('early'))).status).toBe(0)
  await waitUntil('they are gone', () => scene.entrypoint.stats().connections === 0)
  await using late = await connectRaw(scene.entrypoint.address)
  expect((await late.call(GREET, frame('late'))).status).toBe(0)
  for (const socket of crowd) socket.destroy()
})
