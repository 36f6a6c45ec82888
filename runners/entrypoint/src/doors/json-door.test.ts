import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { create, toBinary } from '@bufbuild/protobuf'
import { StringValueSchema } from '@bufbuild/protobuf/wkt'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { MESSAGE_TYPE } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { ALL_URL, type DoorsScene, EVERYTHING, openDoors } from '../testing/doors-version.ts'

let nats: TestNats
let scene: DoorsScene
beforeAll(async () => {
  nats = await startNats()
  scene = await openDoors(nats)
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

type Answer = { status: number; headers: Headers; json: Record<string, unknown> }

async function send(path: string, init: RequestInit = {}, url = scene.url): Promise<Answer> {
  const response = await fetch(url + path, init)
  const text = await response.text()
  const json = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  return { status: response.status, headers: response.headers, json }
}

function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return send(path, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json', ...headers },
  })
}

describe('POST to an rpc', () => {
  test('maps every kind of field as the JSON form of protobuf says', async () => {
    const message = {
      text: 'ä \u{1f600}',
      flag: true,
      int32: -5,
      int64: '-9223372036854775808',
      uint32: 4294967295,
      uint64: '18446744073709551615',
      float: 1.5,
      double: 'NaN',
      blob: Buffer.from([0, 255]).toString('base64'),
      color: 'GREEN',
      one: { name: 'a', numbers: [1, 2], child: { name: 'b', numbers: [] } },
      many: [{ name: 'c', numbers: [] }],
      counts: { x: '9007199254740993' },
      parts: { '7': { name: 'seven', numbers: [] } },
      texts: ['a', ''],
      colors: ['RED', 'GREEN'],
      left: 'l',
      maybe: 0,
      any: { '@type': 'type.googleapis.com/doors.Part', name: 'in any', numbers: [3] },
      at: '2026-01-02T03:04:05.006Z',
      takes: '1.500s',
      tree: { a: [1, null, 'x'], b: { c: true } },
      value: [1, 2],
      mask: 'a.b,fooBar',
      wrapped: '5',
      snakeCaseName: 's',
      doubles: [0.1, 'Infinity', '-Infinity'],
    }
    const { status, headers, json } = await post(EVERYTHING, message)
    expect(json).toEqual(message)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers.get('x-request-id')).toBe(headers.get('request-id'))
  })

  test('shows fields that are not set, and takes an empty body for an empty message', async () => {
    const { status, json } = await send(EVERYTHING, { method: 'POST' })
    expect(status).toBe(200)
    expect(json).toMatchObject({ text: '', int64: '0', texts: [], counts: {} })
    expect(json).not.toHaveProperty('maybe')
  })

  test.each([
    ['9007199254740993', '9007199254740993'],
    ['-9007199254740993', '-9007199254740993'],
    ['9223372036854775807', '9223372036854775807'],
  ])('keeps the integer %s exact though it is written as a number', async (written, read) => {
    const { json } = await post(EVERYTHING, `{"int64": ${written}}`)
    expect(json['int64']).toBe(read)
  })

  test.each<[string, string, string | null]>([
    ['no JSON', '{', null],
    ['bytes that are not UTF-8', '\u{0}', null],
    ['an array', '[]', null],
    ['a wrong type', '{"text": 5}', 'text'],
    ['an unknown field', '{"text": "a", "nobody": 1}', 'nobody'],
    [
      'a wrong type far inside',
      '{"many": [{}, {"child": {"numbers": [1, "x"]}}]}',
      'many[1].child.numbers[1]',
    ],
    ['a wrong map value', '{"parts": {"1": {"name": {}}}}', 'parts["1"].name'],
    ['a wrong map key', '{"parts": {"x": {}}}', 'parts["x"]'],
    ['an unknown enum value', '{"color": "BLUE"}', 'color'],
    ['a number out of range', '{"int32": 2147483648}', 'int32'],
    ['a fraction for an integer', '{"int64": 1.5}', 'int64'],
    ['an integer beyond 64 bits', '{"int64": 9223372036854775808}', 'int64'],
    ['an exponent beyond 64 bits', '{"int64": 1e30}', 'int64'],
    ['a double beyond its range', '{"double": 1e400}', 'double'],
    ['a float beyond its range', '{"float": 1e39}', 'float'],
    ['no base64', '{"blob": "*"}', 'blob'],
    ['two members of a oneof', '{"left": "a", "right": {}}', null],
    [
      'a field by both of its names',
      '{"snake_case_name": "a", "snakeCaseName": "b"}',
      'snakeCaseName',
    ],
    ['a wrong date', '{"at": "yesterday"}', 'at'],
    ['a wrong duration', '{"takes": "1.0123456789s"}', 'takes'],
    ['Any of an unknown type', '{"any": {"@type": "x/y.Z"}}', 'any'],
    ['a key twice', '{"text": "a", "te\\u0078t": "b"}', null],
    ['deep nesting', `{"tree": ${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`, null],
    ['deep nesting of arrays', '['.repeat(100_000), null],
  ])('refuses %s, and says where it is', async (_what, body, field) => {
    const { status, json } = await post(EVERYTHING, body)
    expect({ status, code: json['code'] }).toEqual({ status: 400, code: 3 })
    expect(json['message']).not.toBe('')
    const details = json['details'] as { fieldViolations?: { field: string }[] }[]
    expect(details[0]).toMatchObject({ reason: 'BAD_JSON', domain: 'kre' })
    expect(details[1]?.fieldViolations?.[0]?.field ?? null).toBe(field)
  })

  test('sends the same failure that gRPC callers get, as google.rpc.Status', async () => {
    await using broken = await openDoors(nats, {
      all: { handler: () => ({ messageType: MESSAGE_TYPE.error, error: 'no', statusCode: 9 }) },
    })
    const response = await post(`${EVERYTHING}`, {})
    expect(response.status).toBe(200)
    const failed = await send(EVERYTHING, { method: 'POST' }, broken.url)
    expect(failed.status).toBe(400)
    expect(failed.json).toMatchObject({
      code: 9,
      message: 'no',
      details: [{ reason: 'NODE_FAILED', metadata: { node: 'all', workflow: 'everything' } }],
    })
  })

  test('calls an answer that is no message of its type a fault of the workflow', async () => {
    await using broken = await openDoors(nats, {
      all: { handler: () => ({ value: Buffer.from([0xff, 0xff]), typeUrl: ALL_URL }) },
    })
    const failed = await send(EVERYTHING, { method: 'POST' }, broken.url)
    expect(failed).toMatchObject({ status: 500, json: { code: 13 } })
  })

  test('answers 504 at the deadline that x-timeout-ms sets, and refuses one that is none', async () => {
    await using silent = await openDoors(nats, { all: { handler: () => null } })
    const headers = { 'x-timeout-ms': '40' }
    const late = await send(EVERYTHING, { method: 'POST', headers }, silent.url)
    expect(late).toMatchObject({ status: 504, json: { code: 4 } })
    expect(await post(EVERYTHING, {}, { 'x-timeout-ms': 'soon' })).toMatchObject({ status: 400 })
  })

  test('carries metadata and the request id', async () => {
    const id = '7f1e5b5c-3b4d-4c8e-9d4a-2c1f7e6a5b40'
    const { headers } = await post(EVERYTHING, {}, { 'x-request-id': id, 'x-krt-tenant': 'blue' })
    expect(headers.get('request-id')).toBe(id)
    const request = scene.all.requests.find(({ requestId }) => requestId === id)
    expect(request?.metadata).toEqual({ 'x-krt-tenant': 'blue' })
  })

  test('says what there is where a path, a method or a type is wrong', async () => {
    expect(await send('/nowhere')).toMatchObject({ status: 404, json: { code: 5 } })
    const get = await send(EVERYTHING)
    expect(get.status).toBe(405)
    expect(get.headers.get('allow')).toBe('POST')
    expect(
      await post(EVERYTHING, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
    ).toMatchObject({ status: 415 })
    expect(
      await post(EVERYTHING, '\0\0\0\0\0', { 'content-type': 'application/grpc' }),
    ).toMatchObject({
      status: 415,
      json: { message: expect.stringContaining('a proxy in between speaks HTTP/1.1') },
    })
    expect(await post('/doors.Entrypoint/Unused', {})).toMatchObject({
      status: 501,
      json: { code: 12 },
    })
    expect(await send('/v1/all/%zz')).toMatchObject({ status: 400 })
  })
})

describe('an annotated path', () => {
  const all = async (path: string, init?: RequestInit) => {
    const { status, json } = await send(path, init)
    expect({ status, message: json['message'] }).toEqual({ status: 200, message: undefined })
    return json
  }

  test('takes fields from the path and the query', async () => {
    const query =
      'flag=true&int64=9007199254740993&texts=a&texts=b&one.child.name=c&color=GREEN&at=2026-01-01T00:00:00Z&wrapped=3&maybe=0&snake_case_name=s&double=NaN'
    expect(await all(`/v1/all/a%2Fb%20c?${query}`)).toMatchObject({
      text: 'a/b c',
      flag: true,
      int64: '9007199254740993',
      texts: ['a', 'b'],
      one: { child: { name: 'c' } },
      color: 'GREEN',
      at: '2026-01-01T00:00:00Z',
      wrapped: '3',
      maybe: 0,
      snakeCaseName: 's',
      double: 'NaN',
    })
  })

  test('puts several segments into one nested field', async () => {
    const json = await all('/v1/nested/shelves/1/books/a/b%2Fc')
    expect(json).toMatchObject({ one: { name: 'shelves/1/books/a/b%2Fc' } })
  })

  test('takes a field as the body, and gives one as the answer', async () => {
    const init = {
      method: 'PUT',
      body: '{"name": "x"}',
      headers: { 'content-type': 'application/json' },
    }
    expect(await all('/v1/one/t', init)).toEqual({ name: 'x', numbers: [] })
  })

  test('lets the path win over a whole body, under either name of the field', async () => {
    const init = {
      method: 'PATCH',
      body: '{"text": "body", "flag": true}',
      headers: { 'content-type': 'application/json' },
    }
    expect(await all('/v1/all/path:mend', init)).toMatchObject({ text: 'path', flag: true })
  })

  test('serves DELETE and custom methods', async () => {
    expect(await all('/v1/all/12', { method: 'DELETE' })).toMatchObject({ int64: '12' })
    expect(await all('/v1/all/GREEN', { method: 'PURGE' })).toMatchObject({ color: 'GREEN' })
  })

  test.each([
    ['an unknown parameter', '/v1/all/a?nobody=1', 'nobody'],
    ['a parameter twice', '/v1/all/a?int32=1&int32=2', 'int32'],
    ['no bool', '/v1/all/a?flag=yes', 'flag'],
    ['a message', '/v1/all/a?one=1', 'one'],
    ['a map', '/v1/all/a?counts=1', 'counts'],
    ['a step through a list', '/v1/all/a?many.name=1', 'many'],
    ['no number', '/v1/all/a?int32=x', 'int32'],
  ])('refuses %s', async (_what, path, field) => {
    const { status, json } = await send(path)
    expect(status).toBe(400)
    expect(json).toMatchObject({ details: [{}, { fieldViolations: [{ field }] }] })
  })

  test('names the methods it has', async () => {
    const { status, headers } = await send('/v1/all', { method: 'DELETE' })
    expect({ status, allow: headers.get('allow') }).toEqual({ status: 405, allow: 'POST' })
  })

  test('refuses a body where the annotation has none', async () => {
    const init = { method: 'DELETE', body: '{}', headers: { 'content-type': 'application/json' } }
    expect(await send('/v1/all/1', init)).toMatchObject({ status: 400 })
  })
})

describe('over HTTP/2', () => {
  test('the same door answers', async () => {
    const answer = await scene.client.call(EVERYTHING, Buffer.from('{"text": "two"}'), {
      'content-type': 'application/json',
    })
    expect(answer.httpStatus).toBe(200)
    expect(JSON.parse(String(answer.body))).toMatchObject({ text: 'two' })
  })

  test('a caller that goes away cancels its request', async () => {
    await using silent = await openDoors(nats, { all: { handler: () => null } })
    const stream = silent.client.open(EVERYTHING, { 'content-type': 'application/json' })
    stream.on('error', () => undefined)
    stream.end('{}')
    await waitUntil('in flight', () => silent.all.requests.length === 1)
    stream.close(8)
    await waitUntil('cancelled', () => silent.all.cancelled.length === 1)
    expect(silent.entrypoint.stats()).toMatchObject({ cancelled: 1, inFlight: 0 })
  })
})

describe('over HTTP/1', () => {
  const open = async (port: number) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => void (text += String(chunk)))
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return { socket, text: () => text }
  }

  test('a request that arrives byte by byte is one request', async () => {
    const { socket, text } = await open(scene.entrypoint.port)
    const body = '{"text": "slow"}'
    const request = `POST ${EVERYTHING} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    for (const character of request) {
      socket.write(character)
      await new Promise(setImmediate)
    }
    await waitUntil('answered', () => text().includes('"slow"'))
    socket.destroy()
  })

  test('requests in one packet are answered in order, on the same connection', async () => {
    const { socket, text } = await open(scene.entrypoint.port)
    const one = (name: string) => `GET /v1/all/${name} HTTP/1.1\r\nhost: x\r\n\r\n`
    socket.write(
      one('first') + one('second') + 'GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n' + one('last'),
    )
    await waitUntil('answered', () => text().includes('"last"'))
    expect(text()).toMatch(/"first".*"second".*UNKNOWN_PATH.*"last"/s)
    socket.destroy()
  })

  test('who sends a request and ends his side, as nc does, gets the answer', async () => {
    const body = '{"text": "half"}'
    const requests = {
      get: 'GET /v1/all/half HTTP/1.1\r\nhost: x\r\n\r\n',
      post: `POST ${EVERYTHING} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      two: 'GET /v1/all/x HTTP/1.1\r\nhost: x\r\n\r\nGET /v1/all/half HTTP/1.1\r\nhost: x\r\n\r\n',
      nothing: 'GET /nowhere HTTP/1.1\r\nhost: half\r\n\r\n',
    }
    for (const [name, request] of Object.entries(requests)) {
      const { socket, text } = await open(scene.entrypoint.port)
      const closed = once(socket, 'close')
      socket.end(request)
      await closed
      expect(text()).toMatch(name === 'nothing' ? /^HTTP\/1.1 404 / : /^HTTP\/1.1 200 [^]*"half"/)
    }
    const { socket, text } = await open(scene.entrypoint.port)
    const closed = once(socket, 'close')
    socket.end(requests.post.slice(0, -1))
    await closed
    expect(text()).not.toContain('200')
    await waitUntil('released', () => scene.entrypoint.stats().bytes === 0)
  })

  test('gzip and deflate bodies are inflated, up to the limit', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const small = gzipSync('{"text": "zipped"}')
    expect(await send(EVERYTHING, { method: 'POST', body: small, headers })).toMatchObject({
      status: 200,
      json: { text: 'zipped' },
    })
    const bomb = gzipSync(Buffer.alloc(10_000_000))
    expect(await send(EVERYTHING, { method: 'POST', body: bomb, headers })).toMatchObject({
      status: 413,
    })
    expect(await send(EVERYTHING, { method: 'POST', body: 'plain', headers })).toMatchObject({
      status: 400,
    })
    expect(await post(EVERYTHING, {}, { 'content-encoding': 'br' })).toMatchObject({ status: 415 })
  })

  test('what is too large is 413: announced, sent in chunks, or as a message', async () => {
    expect(await post(EVERYTHING, { text: 'x'.repeat(700_000) })).toMatchObject({ status: 413 })
    expect(await post(EVERYTHING, { text: 'x'.repeat(100_001) })).toMatchObject({ status: 413 })
    const chunks = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 10; i++) controller.enqueue(Buffer.alloc(100_000, ' '))
        controller.close()
      },
    })
    const init = {
      method: 'POST',
      body: chunks,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    }
    expect(await send(EVERYTHING, init as RequestInit)).toMatchObject({ status: 413 })
  })

  test('a caller that goes away cancels its request', async () => {
    await using silent = await openDoors(nats, {
      limits: { halfCloseMs: 0 },
      all: { handler: () => null },
    })
    const controller = new AbortController()
    const request = fetch(`${silent.url}/v1/all/x`, { signal: controller.signal }).catch(
      () => 'aborted',
    )
    await waitUntil('in flight', () => silent.all.requests.length === 1)
    controller.abort()
    expect(await request).toBe('aborted')
    await waitUntil('cancelled', () => silent.all.cancelled.length === 1)
  })

  test.each([
    ['no HTTP', 'GET /non sense\r\n\r\n', '400'],
    [
      'two lengths',
      `POST ${EVERYTHING} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}`,
      '400',
    ],
    [
      'a length and chunks',
      `POST ${EVERYTHING} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      '400',
    ],
    [
      'headers without an end',
      `GET / HTTP/1.1\r\nhost: x\r\na: ${'b'.repeat(20_000)}\r\n\r\n`,
      '431',
    ],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', '400'],
  ])('%s is refused', async (_what, request, status) => {
    const { socket, text } = await open(scene.entrypoint.port)
    const closed = once(socket, 'close')
    socket.write(request)
    await closed
    expect(text()).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  test('those who stall are cut off: before, in and between requests', async () => {
    await using strict = await openDoors(nats, {
      limits: { receiveMs: 100, handshakeMs: 100, idleMs: 200, sweepMs: 20 },
    })
    const begun = [
      'G',
      'GET / HTTP/1.1\r\nhost: x\r\na: b',
      `GET /v1/all/x HTTP/1.1\r\nhost: x\r\n\r\n`,
      `GET /v1/all/x HTTP/1.1\r\nhost: x\r\n\r\nGET /`,
    ]
    const sockets = await Promise.all(begun.map(() => open(strict.entrypoint.port)))
    const closed = sockets.map(({ socket }) => once(socket, 'close'))
    for (const [i, { socket }] of sockets.entries()) socket.write(begun[i] ?? '')
    await Promise.all(closed)
    expect(sockets[3]?.text()).toMatch(/^HTTP\/1.1 200 /)

    const { socket, text } = await open(strict.entrypoint.port)
    socket.write(
      `POST ${EVERYTHING} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{`,
    )
    await waitUntil('told', () => text().startsWith('HTTP/1.1 408 '))
    socket.destroy()
    await waitUntil(
      'released',
      () => strict.entrypoint.stats().receiving === 0 && strict.entrypoint.stats().bytes === 0,
    )
  })

  test('a stop finishes what runs, and then closes', async () => {
    const stopping = await openDoors(nats, { all: { handler: () => null } })
    const answer = fetch(`${stopping.url}/v1/all/last`)
    await waitUntil('in flight', () => stopping.all.requests.length === 1)
    const stopped = stopping.entrypoint.stop()
    const [request] = stopping.all.requests
    if (request !== undefined)
      stopping.all.reply(request, { value: request.value, typeUrl: ALL_URL })
    const response = await answer
    expect(response.headers.get('connection')).toBe('close')
    expect(await response.json()).toMatchObject({ text: 'last' })
    await stopped
    await stopping[Symbol.asyncDispose]()
  })

  test('an offer to speak HTTP/2 or WebSocket is not taken up, and the request answered', async () => {
    for (const protocol of ['h2c', 'websocket']) {
      const { socket, text } = await open(scene.entrypoint.port)
      socket.write(
        `GET /v1/all/${protocol} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${protocol}\r\n\r\n`,
      )
      await waitUntil('answered', () => text().includes(`"${protocol}"`))
      expect(text()).toMatch(/^HTTP\/1.1 200 /)
      socket.destroy()
    }
  })

  test('what is too many at once is 429, and says when to come back', async () => {
    await using busy = await openDoors(nats, {
      limits: { inFlightMax: 1 },
      all: { handler: () => null },
    })
    const controller = new AbortController()
    const first = fetch(`${busy.url}/v1/all/x`, { signal: controller.signal }).catch(() => null)
    await waitUntil('in flight', () => busy.all.requests.length === 1)
    const second = await send('/v1/all/y', {}, busy.url)
    expect(second).toMatchObject({ status: 429, json: { code: 8 } })
    expect(second.headers.get('retry-after')).toBe('1')
    expect(second.headers.get('retry-after-ms')).toBe('100')
    controller.abort()
    await first
  })

  test('what the process has no room for is 429 while it arrives', async () => {
    await using full = await openDoors(nats, { limits: { bytesMax: 10_000 } })
    const init = {
      method: 'POST',
      body: 'x'.repeat(20_000),
      headers: { 'content-type': 'application/json' },
    }
    expect(await send(EVERYTHING, init, full.url)).toMatchObject({ status: 429, json: { code: 8 } })
    await waitUntil('released', () => full.entrypoint.stats().bytes === 0)
  })

  test('who asks before sending is told to go on, or that it is too much', async () => {
    const ask = async (length: number) => {
      const { socket, text } = await open(scene.entrypoint.port)
      socket.write(
        `POST ${EVERYTHING} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`,
      )
      await waitUntil('told', () => text().includes('\r\n\r\n'))
      return { socket, text }
    }
    const small = await ask(2)
    expect(small.text()).toMatch(/^HTTP\/1.1 100 /)
    small.socket.write('{}')
    await waitUntil('answered', () => small.text().includes('HTTP/1.1 200 '))
    const large = await ask(900_000)
    await waitUntil('refused', () => large.text().includes('HTTP/1.1 413 '))
    small.socket.destroy()
    large.socket.destroy()
  })

  test('who never reads its answers is cut off, and their bytes are given back', async () => {
    const value = toBinary(
      StringValueSchema,
      create(StringValueSchema, { value: 'x'.repeat(95_000) }),
    )
    await using slow = await openDoors(nats, {
      limits: { flushMs: 150 },
      all: { handler: () => ({ value, typeUrl: ALL_URL }) },
    })
    const { socket } = await open(slow.entrypoint.port)
    const closed = once(socket, 'close')
    socket.pause()
    const one = 'GET /v1/all/x HTTP/1.1\r\nhost: x\r\n\r\n'
    socket.write(one.repeat(60))
    await waitUntil('answered', () => slow.entrypoint.stats().answered === 60)
    await waitUntil('cut off', () => slow.entrypoint.stats().connections === 1)
    socket.resume()
    await closed
    await waitUntil('released', () => slow.entrypoint.stats().bytes === 0)
  })

  test('who sends without end and reads nothing is cut off', async () => {
    const { socket } = await open(scene.entrypoint.port)
    const closed = once(socket, 'close')
    socket.write('GET /v1/all/x HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(500))
    await closed
    await waitUntil('released', () => scene.entrypoint.stats().inFlight === 0)
  })

  test('nothing is held afterwards', async () => {
    await waitUntil('released', () => {
      const stats = scene.entrypoint.stats()
      return stats.bytes === 0 && stats.inFlight === 0 && stats.receiving === 0
    })
    const stats = scene.entrypoint.stats()
    expect(stats.accepted).toBe(stats.answered + stats.errored + stats.expired + stats.cancelled)
  })
})
