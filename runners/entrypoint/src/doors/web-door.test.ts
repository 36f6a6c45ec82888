import { create, toBinary } from '@bufbuild/protobuf'
import { StringValueSchema } from '@bufbuild/protobuf/wkt'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { type DoorsScene, EVERYTHING, openDoors } from '../testing/doors-version.ts'
import { frame } from '../testing/raw-client.ts'

const ORIGIN = 'https://shop.example'
/** A StringValue has the same bytes as `doors.All.text`. */
const message = (text: string) =>
  toBinary(StringValueSchema, create(StringValueSchema, { value: text }))

let nats: TestNats
let scene: DoorsScene
beforeAll(async () => {
  nats = await startNats()
  scene = await openDoors(nats, { launch: { cors: { origins: [ORIGIN] } } })
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

type WebAnswer = {
  response: Response
  messages: Buffer[]
  trailers: Record<string, string>
}

async function call(
  body: string | Buffer,
  options: { type?: string; path?: string; headers?: Record<string, string> } = {},
): Promise<WebAnswer> {
  const { type = 'application/grpc-web', path = EVERYTHING, headers = {} } = options
  const init = {
    method: 'POST',
    body: Buffer.from(body),
    headers: { 'content-type': type, 'x-grpc-web': '1', ...headers },
  }
  const response = await fetch(scene.url + path, init)
  const bytes = Buffer.from(await response.arrayBuffer())
  const isText = response.headers.get('content-type')?.includes('-text') ?? false
  return { response, ...split(isText ? Buffer.from(String(bytes), 'base64') : bytes) }
}

function split(bytes: Buffer): Pick<WebAnswer, 'messages' | 'trailers'> {
  const messages: Buffer[] = []
  const trailers: Record<string, string> = {}
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1)
    const content = bytes.subarray(at + 5, end)
    if (bytes[at] === 0x80)
      for (const line of String(content).trim().split('\r\n')) {
        const [name = '', value = ''] = line.split(': ')
        trailers[name] = value
      }
    else messages.push(content)
    at = end
  }
  return { messages, trailers }
}

describe('gRPC-Web', () => {
  test.each([
    'application/grpc-web',
    'application/grpc-web+proto',
    'application/grpc-web+proto; charset=x',
  ])('%s is answered with the message and a frame of trailers', async (type) => {
    const { response, messages, trailers } = await call(frame(message('hello')), { type })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/grpc-web+proto')
    expect(messages).toEqual([Buffer.from(message('hello'))])
    expect(trailers).toEqual({
      'grpc-status': '0',
      'request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
  })

  test('text is base64 both ways, in pieces that are padded one by one', async () => {
    const whole = frame(message('text'))
    const pieces = [whole.subarray(0, 4), whole.subarray(4)].map((piece) =>
      piece.toString('base64'),
    )
    const { response, messages } = await call(pieces.join(''), {
      type: 'application/grpc-web-text',
    })
    expect(response.headers.get('content-type')).toBe('application/grpc-web-text+proto')
    expect(messages).toEqual([Buffer.from(message('text'))])
  })

  test('the health service can be asked', async () => {
    const { messages, trailers } = await call(frame(''), { path: '/grpc.health.v1.Health/Check' })
    expect(trailers['grpc-status']).toBe('0')
    expect(messages).toEqual([Buffer.of(8, 1)])
  })

  test.each<
    [
      string,
      string | Buffer,
      string,
      { type?: string; path?: string; headers?: Record<string, string> },
    ]
  >([
    ['no message', '', '3', {}],
    ['two messages', Buffer.concat([frame('a'), frame('b')]), '3', {}],
    ['a cut message', frame('abc').subarray(0, 7), '3', {}],
    ['a wrong flag', frame('a', 9), '3', {}],
    ['a compressed message', frame('a', 1), '12', {}],
    ['no base64', '!', '3', { type: 'application/grpc-web-text' }],
    ['an unknown method', frame(''), '12', { path: '/a.B/C' }],
    ['a method without a workflow', frame(''), '12', { path: '/doors.Entrypoint/Unused' }],
    ['too much', frame(Buffer.alloc(100_001)), '3', {}],
    ['a wrong timeout', frame(''), '3', { headers: { 'grpc-timeout': 'x' } }],
    ['a timeout that has passed', frame(''), '4', { headers: { 'grpc-timeout': '0m' } }],
  ])('%s is a status in the trailers', async (_what, body, status, options) => {
    const { response, messages, trailers } = await call(body, options)
    expect(response.status).toBe(200)
    expect(messages).toEqual([])
    expect(trailers['grpc-status']).toBe(status)
    expect(trailers['grpc-message']).not.toBe('')
    expect(trailers['grpc-status-details-bin']).toMatch(/^[\w+/]+=*$/)
  })

  test('GET is not allowed', async () => {
    const response = await fetch(scene.url + EVERYTHING, {
      headers: { 'content-type': 'application/grpc-web' },
    })
    expect(response.status).toBe(405)
  })

  test('works over HTTP/2', async () => {
    const answer = await scene.client.call(EVERYTHING, frame(message('two')), {
      'content-type': 'application/grpc-web',
    })
    expect(split(answer.body).messages).toEqual([Buffer.from(message('two'))])
  })
})

describe('pages of other origins', () => {
  const ask = (origin: string) =>
    fetch(scene.url + EVERYTHING, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-grpc-web',
      },
    })

  test('may call when they are named, and read the headers they need', async () => {
    const allowed = await ask(ORIGIN)
    expect(allowed.status).toBe(204)
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(allowed.headers.get('access-control-allow-headers')).toBe('content-type,x-grpc-web')
    expect(allowed.headers.get('vary')).toBe('origin')
    const { response } = await call(frame(''), { headers: { origin: ORIGIN } })
    expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(response.headers.get('access-control-expose-headers')).toContain('grpc-status')
  })

  test('are not allowed otherwise', async () => {
    const refused = await ask('https://other.example')
    expect(refused.status).toBe(405)
    expect(refused.headers.get('access-control-allow-origin')).toBeNull()
    const { response } = await call(frame(''), { headers: { origin: 'null' } })
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('are not allowed at all by default; all are with *', async () => {
    await using closed = await openDoors(nats)
    await using open = await openDoors(nats, { launch: { cors: { origins: ['*'] } } })
    const headers = { origin: ORIGIN }
    const closedAnswer = await fetch(`${closed.url}/v1/all/a`, { headers })
    const openAnswer = await fetch(`${open.url}/v1/all/a`, { headers })
    expect(closedAnswer.headers.get('access-control-allow-origin')).toBeNull()
    expect(openAnswer.headers.get('access-control-allow-origin')).toBe('*')
  })
})
