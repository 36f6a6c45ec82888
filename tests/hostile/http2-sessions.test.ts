/** What breaks HTTP/2 servers, against the entrypoint as callers meet it. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import fc from 'fast-check'
import { encodeHeaders } from '../../runners/entrypoint/src/http2/hpack-encoder.ts'
import { FLAG, FRAME, PREFACE } from '../../runners/entrypoint/src/http2/protocol.ts'
import { GREET } from '../../runners/entrypoint/src/testing/demo-version.ts'
import { connectRaw, frame } from '../../runners/entrypoint/src/testing/raw-client.ts'
import {
  connectFrames,
  rawFrame,
  requestFrame,
  uint32,
} from '../../runners/entrypoint/src/testing/raw-frames.ts'
import { openScene, type Scene } from '../../runners/entrypoint/src/testing/scene.ts'
import { damage, fate } from './damage.ts'

let nats: TestNats
let scene: Scene
beforeAll(async () => {
  nats = await startNats()
  scene = await openScene(nats, {
    limits: { receiveMs: 100, handshakeMs: 200, sweepMs: 50, settingsPerSweepMax: 50 },
  })
  scene.startNode()
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

/** Whoever was there before is answered, a newcomer too, and nothing of the others is left. */
async function expectUnharmed() {
  expect((await scene.client.call(GREET, frame('still here'))).status).toBe(0)
  await using fresh = await connectRaw(scene.entrypoint.address)
  expect((await fresh.call(GREET, frame('newcomer'))).payload.toString()).toBe('newcomer')
  await fresh[Symbol.asyncDispose]()
  await waitUntil('nothing is left of the others', () => {
    const { bytes, inFlight, receiving, connections } = scene.entrypoint.stats()
    return bytes === 0 && inFlight === 0 && receiving === 0 && connections === 1
  })
  const { accepted, answered, errored, expired, cancelled } = scene.entrypoint.stats()
  expect(accepted).toBe(answered + errored + expired + cancelled)
}

const fieldsOf = (more: [string, string][]): [string, string][] => [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', GREET],
  [':authority', 'test'],
  ...more,
]
const GRPC = fieldsOf([
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
])
const JSON_FIELDS = fieldsOf([['content-type', 'application/json']])
const { endHeaders, endStream } = FLAG

/** What a right client sends, frame by frame. */
const SESSION: readonly Buffer[] = [
  PREFACE,
  rawFrame(FRAME.settings, 0, 0, Buffer.from('000400100000', 'hex')),
  rawFrame(FRAME.windowUpdate, 0, 0, uint32(1_000_000)),
  requestFrame(1, endHeaders, GRPC),
  rawFrame(FRAME.data, endStream, 1, frame('first')),
  requestFrame(3, 0, GRPC.slice(0, 3)),
  rawFrame(FRAME.continuation, endHeaders, 3, Buffer.from(encodeHeaders(GRPC.slice(3)))),
  rawFrame(FRAME.data, 0, 3, frame('second').subarray(0, 7)),
  rawFrame(FRAME.data, endStream, 3, frame('second').subarray(7)),
  requestFrame(5, endHeaders, JSON_FIELDS),
  rawFrame(FRAME.data, endStream, 5, Buffer.from('{"text":"third"}')),
  rawFrame(FRAME.ping, 0, 0, Buffer.alloc(8)),
  requestFrame(7, endHeaders, GRPC),
  rawFrame(FRAME.rstStream, 0, 7, uint32(8)),
  rawFrame(FRAME.settings, FLAG.ack),
  requestFrame(9, endHeaders | endStream, GRPC),
]

describe('a session', () => {
  test('as it should be is served', async () => {
    await using client = await connectFrames(scene.entrypoint.port, false)
    client.send(...SESSION)
    for (const text of ['first', 'second', 'third'])
      await client.receive(({ payload }) => payload.includes(text), `the answer with ${text}`)
  })

  test('that was changed in any way harms nobody else', async () => {
    const damaged = fc.tuple(fc.array(fate, { minLength: 1, maxLength: 5 }), fc.nat({ max: 60 }))
    await fc.assert(
      fc.asyncProperty(damaged, async ([fates, cut]) => {
        const socket = connect(scene.entrypoint.port, '127.0.0.1')
        // Whatever is answered, in HTTP/2 or, to a damaged preface, in HTTP/1.
        socket.on('error', () => undefined).resume()
        const closed = new Promise((resolve) => socket.once('close', resolve))
        const bytes = damage(SESSION, fates)
        socket.write(bytes.subarray(0, cut))
        await new Promise(setImmediate)
        socket.end(bytes.subarray(cut))
        await closed
      }),
      { numRuns: 1_500, interruptAfterTimeLimit: 5_000 },
    )
    await expectUnharmed()
  })
})

describe('a flood', () => {
  const repeat = (count: number, make: (i: number) => Buffer) =>
    Buffer.concat(Array.from({ length: count }, (_, i) => make(i)))
  const id = (i: number) => i * 2 + 1

  test.each<[string, () => Buffer]>([
    ['pings', () => repeat(20_000, () => rawFrame(FRAME.ping, 0, 0, Buffer.alloc(8)))],
    ['SETTINGS', () => repeat(20_000, () => rawFrame(FRAME.settings))],
    [
      'SETTINGS that change the window of many streams',
      () =>
        Buffer.concat([
          repeat(5_000, (i) => requestFrame(id(i), endHeaders, GRPC)),
          repeat(2_000, (i) =>
            rawFrame(
              FRAME.settings,
              0,
              0,
              Buffer.from(i % 2 === 0 ? '000400000001' : '00047fffffff', 'hex'),
            ),
          ),
        ]),
    ],
    [
      'CONTINUATION',
      () =>
        Buffer.concat([
          requestFrame(1, 0, GRPC),
          repeat(20_000, () => rawFrame(FRAME.continuation, 0, 1, Buffer.alloc(10))),
        ]),
    ],
    [
      'empty CONTINUATION',
      () =>
        Buffer.concat([
          requestFrame(1, 0, GRPC),
          repeat(100_000, () => rawFrame(FRAME.continuation, 0, 1)),
        ]),
    ],
    [
      'streams that are given up at once',
      () =>
        repeat(20_000, (i) =>
          Buffer.concat([
            requestFrame(id(i), endHeaders, GRPC),
            rawFrame(FRAME.data, endStream, id(i), frame('x')),
            rawFrame(FRAME.rstStream, 0, id(i), uint32(8)),
          ]),
        ),
    ],
    [
      'empty DATA',
      () =>
        Buffer.concat([
          requestFrame(1, endHeaders, GRPC),
          repeat(200_000, () => rawFrame(FRAME.data, 0, 1)),
        ]),
    ],
    [
      'DATA on a stream that is over',
      () =>
        Buffer.concat([
          requestFrame(1, endHeaders | endStream, GRPC),
          repeat(100_000, () => rawFrame(FRAME.data, 0, 1, Buffer.alloc(1))),
        ]),
    ],
    ['PRIORITY', () => repeat(100_000, (i) => rawFrame(FRAME.priority, 0, id(i), Buffer.alloc(5)))],
    ['window updates', () => repeat(100_000, () => rawFrame(FRAME.windowUpdate, 0, 0, uint32(1)))],
    [
      'headers that one index stands for',
      () => {
        const entry = Buffer.from(encodeHeaders([['x-large', 'v'.repeat(3_000)]]))
        entry[0] = 0x40
        const block = Buffer.concat([entry, Buffer.alloc(12_000, 0xbe)])
        return repeat(300, (i) => rawFrame(FRAME.headers, endHeaders, id(i), block))
      },
    ],
    [
      'headers',
      () =>
        repeat(200, (i) =>
          requestFrame(
            id(i),
            endHeaders,
            Array.from({ length: 1_000 }, (_, n): [string, string] => [`x-${n}`, 'v']),
          ),
        ),
    ],
  ])('of %s harms nobody else', async (_what, bytes) => {
    await using flooder = await connectFrames(scene.entrypoint.port)
    const flood = bytes()
    const before = process.memoryUsage().rss
    flooder.send(flood)
    // While it comes, others are served.
    expect((await scene.client.call(GREET, frame('meanwhile'))).status).toBe(0)
    flooder.socket.end()
    await flooder.closed()
    await expectUnharmed()
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  })
})
