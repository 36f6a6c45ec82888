/** Small messages that want to become large ones, wherever something inflates them. */
import { randomUUID } from 'node:crypto'
import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ENCODING, emptyEnvelope, encodeEnvelope, MESSAGE_TYPE } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { GREET } from '../../runners/entrypoint/src/testing/demo-version.ts'
import { connectRaw, frame } from '../../runners/entrypoint/src/testing/raw-client.ts'
import { openScene, type Scene } from '../../runners/entrypoint/src/testing/scene.ts'

const MIB = 1024 * 1024
/** 10 GiB in 10 MiB would need longer to be sent than to be refused: 2 GiB in 2 MiB, of members of 32 MiB. */
const MEMBER = gzipSync(Buffer.alloc(32 * MIB))
const BOMB = Buffer.concat(Array.from({ length: 64 }, () => MEMBER))
/** One stream without an end in sight, as large as the entrypoint takes. */
const DEFLATE_BOMB = deflateSync(Buffer.alloc(64 * MIB))
/** Nested: gzip of a gzip, so that what comes out is small and no message. */
const NESTED = gzipSync(gzipSync(Buffer.alloc(32 * MIB)))

let nats: TestNats
let scene: Scene
beforeAll(async () => {
  nats = await startNats()
  scene = await openScene(nats, { launch: { payloadBytesMax: 4 * MIB } })
  scene.startNode()
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

/** Nothing is held, nobody waits, and memory is where it was. */
async function expectUnharmed(rssBefore: number) {
  await waitUntil('released', () => scene.entrypoint.stats().bytes === 0)
  expect((await scene.client.call(GREET, frame('still here'))).status).toBe(0)
  expect(process.memoryUsage().rss - rssBefore).toBeLessThan(300 * MIB)
}

describe('a bomb', () => {
  test.each<[string, Record<string, string>, Buffer]>([
    ['as a gRPC message', { 'grpc-encoding': 'gzip' }, frame(BOMB, 1)],
    ['as JSON, gzip', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, BOMB],
    [
      'as JSON, deflate',
      { 'content-type': 'application/json', 'content-encoding': 'deflate' },
      DEFLATE_BOMB,
    ],
    ['as JSON, nested', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, NESTED],
    ['as gRPC-Web', { 'content-type': 'application/grpc-web', 'content-encoding': 'gzip' }, BOMB],
    [
      'as gRPC-Web text',
      { 'content-type': 'application/grpc-web-text', 'content-encoding': 'gzip' },
      BOMB,
    ],
    [
      'as a model request',
      {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        ':path': '/v2/models/greet/infer',
      },
      BOMB,
    ],
  ])('%s is refused', async (_what, headers, body) => {
    const before = process.memoryUsage().rss
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => scene.client.call(GREET, body, headers)),
    )
    for (const answer of answers) {
      const refused = answer.status > 0 || answer.httpStatus >= 400 || isWebFailure(answer.body)
      expect({ refused, was: `${answer.httpStatus} ${answer.status}` }).toMatchObject({
        refused: true,
      })
    }
    await expectUnharmed(before)
  })

  test('whose senders leave at once is given back too', async () => {
    const before = process.memoryUsage().rss
    await using client = await connectRaw(scene.entrypoint.address)
    for (let i = 0; i < 100; i++) {
      const stream = client.open(GREET, { 'grpc-encoding': 'gzip' })
      stream.on('error', () => undefined)
      stream.end(frame(MEMBER, 1), () => stream.close(8))
    }
    await client.call(GREET, frame('behind them'))
    await expectUnharmed(before)
  })

  test('as the answer of a node fails its request', async () => {
    const before = process.memoryUsage().rss
    const forms = [
      // A compressed payload, and a whole compressed message as the first runners sent them.
      (id: string) =>
        encodeEnvelope({
          ...emptyEnvelope(),
          requestId: id,
          messageType: MESSAGE_TYPE.ok,
          typeUrl: 'type.googleapis.com/demo.Response',
          value: MEMBER,
          encoding: ENCODING.gzip,
        }),
      () => MEMBER,
      () => NESTED,
    ]
    await using bombed = await openScene(nats)
    const node = bombed.startNode({ handler: () => null })
    for (const [i, form] of forms.entries()) {
      const answer = bombed.client.call(GREET, frame('x'), { 'x-request-id': randomUUID() })
      await waitUntil('with the node', () => node.requests.length === i + 1)
      const request = node.requests[i]
      if (request === undefined) throw new Error('no request')
      bombed.nats.publish(request.replyTo, form(request.requestId))
      const { status } = await answer
      expect([8, 13]).toContain(status)
    }
    await waitUntil('released', () => bombed.entrypoint.stats().bytes === 0)
    await expectUnharmed(before)
  })
})

/** Trailers in the body that name a status other than 0. */
function isWebFailure(body: Buffer): boolean {
  const text = body.toString('latin1')
  return /grpc-status: [1-9]/.test(text + Buffer.from(text, 'base64').toString('latin1'))
}
