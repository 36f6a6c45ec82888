import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { emptyEnvelope, encodeEnvelope, type Envelope, MESSAGE_TYPE } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { demoInterface, GREET } from '../testing/demo-version.ts'
import { frame } from '../testing/raw-client.ts'
import { openScene, type Scene } from '../testing/scene.ts'

let nats: TestNats
let scene: Scene
/** What the node answers. */
let wanted: readonly string[] = []
beforeAll(async () => {
  nats = await startNats()
  const methods = demoInterface('').methods.map((method) => ({ ...method, serverStreaming: true }))
  scene = await openScene(nats, { served: { methods } })
  scene.startNode({
    handler(request) {
      stream(request, wanted)
      return null
    },
  })
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

/** The wire form of a `demo.Response`. */
const message = (text: string) => Buffer.concat([Buffer.of(0x0a, text.length), Buffer.from(text)])

/** Answers a request with a stream: `!` is a failure, `?` a message of no known form, the rest a text each. */
function stream(request: Envelope, texts: readonly string[]) {
  let sequence = 0
  const send = (more: Partial<Envelope>) =>
    scene.nats.publish(
      request.replyTo,
      encodeEnvelope({
        ...emptyEnvelope(),
        requestId: request.requestId,
        fromNode: 'greeter',
        ...more,
      }),
      { reply: 'credit.of.a.test' },
    )
  for (const text of texts) {
    const typeUrl = 'type.googleapis.com/demo.Response'
    const value = text === '?' ? Buffer.of(255) : message(text)
    if (text === '!') send({ messageType: MESSAGE_TYPE.error, statusCode: 9, error: 'no more' })
    else send({ messageType: MESSAGE_TYPE.frame, sequence: ++sequence, typeUrl, value })
  }
  send({ messageType: MESSAGE_TYPE.end, sequence })
}

async function ask(
  texts: readonly string[],
  headers: Record<string, string>,
  body: string | Buffer = '{}',
) {
  wanted = texts
  const answer = await scene.client.call(GREET, Buffer.from(body), headers)
  const { metadata, body: bytes, httpStatus } = answer
  return {
    httpStatus,
    type: metadata['content-type'],
    requestId: metadata['request-id'],
    text: String(bytes),
    bytes,
  }
}

const JSON_REQUEST = { 'content-type': 'application/json' }
const WEB_REQUEST = { 'content-type': 'application/grpc-web' }

describe('an rpc that returns a stream', () => {
  test('is a line of JSON for each message', async () => {
    const { httpStatus, type, requestId, text } = await ask(['a', 'b'], JSON_REQUEST)
    expect({ httpStatus, type, text }).toEqual({
      httpStatus: 200,
      type: 'application/x-ndjson',
      text: '{"text":"a"}\n{"text":"b"}\n',
    })
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('is server-sent events for those who accept them', async () => {
    const { type, text } = await ask(['a'], { ...JSON_REQUEST, accept: 'text/event-stream' })
    expect({ type, text }).toEqual({ type: 'text/event-stream', text: 'data: {"text":"a"}\n\n' })
  })

  test('is a frame for each message in gRPC-Web, with the trailers behind them', async () => {
    const { bytes } = await ask(['a', 'b'], WEB_REQUEST, frame(message('x')))
    const messages = Buffer.concat([frame(message('a')), frame(message('b'))])
    expect(bytes.subarray(0, messages.length)).toEqual(messages)
    expect(bytes[messages.length]).toBe(0x80)
    expect(String(bytes)).toContain('grpc-status: 0\r\n')
  })

  test('may be empty', async () => {
    expect(await ask([], JSON_REQUEST)).toMatchObject({ httpStatus: 200, text: '' })
  })

  test('that fails on the way says so in its last message', async () => {
    const { httpStatus, text } = await ask(['a', '!'], JSON_REQUEST)
    expect(httpStatus).toBe(200)
    expect(JSON.parse(text.split('\n')[1] ?? '')).toMatchObject({
      error: { code: 9, message: 'no more' },
    })
    const events = await ask(['a', '!'], { ...JSON_REQUEST, accept: 'text/event-stream' })
    expect(events.text).toMatch(/^data: \{"text":"a"\}\n\nevent: error\ndata: \{"code":9,/)
    const web = await ask(['a', '!'], WEB_REQUEST, frame(message('x')))
    expect(web.text).toContain('grpc-status: 9\r\n')
  })

  test('that fails before its first message has the status of the failure', async () => {
    expect(await ask(['!'], JSON_REQUEST)).toMatchObject({
      httpStatus: 400,
      type: 'application/json',
    })
  })

  test('is cut where a message has no JSON form, and nobody goes on working for it', async () => {
    const { text } = await ask(['a', '?', 'b'], JSON_REQUEST)
    expect(text.split('\n')).toHaveLength(3)
    expect(text).toContain('MALFORMED_ANSWER')
    await waitUntil('over', () => scene.entrypoint.stats().inFlight === 0)
  })

  test('holds nothing afterwards', async () => {
    await waitUntil('released', () => scene.entrypoint.stats().bytes === 0)
  })
})
