import { randomBytes } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { GRPC_STATUS, MESSAGE_TYPE, ProtoReader } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { GREET, OTHER, UNUSED } from './testing/demo-version.ts'
import { frame, readResponse } from './testing/raw-client.ts'
import { openScene, type Scene } from './testing/scene.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const raw = (bytes: Buffer) => bytes

/** A foreign client: grpc-js with bytes in and out. */
function callWithGrpcJs(
  client: Client,
  payload: string,
  options: { deadlineMs?: number; metadata?: Metadata } = {},
): Promise<{ value?: string; error?: ServiceError; call: ReturnType<Client['makeUnaryRequest']> }> {
  return new Promise((resolve) => {
    const call = client.makeUnaryRequest(
      GREET,
      raw,
      raw,
      Buffer.from(payload),
      options.metadata ?? new Metadata(),
      options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs },
      (error, value) => resolve(error === null ? { value: String(value), call } : { error, call }),
    )
  })
}

const balanced = ({ entrypoint }: Scene) => {
  const s = entrypoint.stats()
  expect(s.accepted).toBe(s.answered + s.errored + s.expired + s.cancelled + s.inFlight)
  return s
}

describe('a request', () => {
  test('reaches the node as an envelope and comes back as its answer', async () => {
    await using scene = await openScene(nats)
    const node = scene.startNode()
    const answer = await scene.client.call(GREET, frame('hello'), {
      'x-krt-tenant': 'blue',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      authorization: 'secret',
      'grpc-timeout': '5S',
    })
    expect(answer).toMatchObject({ status: 0, httpStatus: 200 })
    expect(answer.payload.toString()).toBe('hello')
    const request = node.requests[0]
    expect(request).toMatchObject({
      requestId: answer.metadata['request-id'],
      typeUrl: 'type.googleapis.com/demo.Request',
      fromNode: 'entrypoint',
      messageType: MESSAGE_TYPE.ok,
      attempt: 1,
      hop: 0,
      metadata: {
        'x-krt-tenant': 'blue',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    })
    const remainingMs = (request?.deadlineUnixMs ?? 0) - Date.now()
    expect(remainingMs).toBeGreaterThan(0)
    expect(remainingMs).toBeLessThanOrEqual(5_001)
  })

  test("keeps the caller's request id when it is a uuid, and makes one otherwise", async () => {
    await using scene = await openScene(nats)
    scene.startNode()
    const id = '7F1E5B5C-3B4D-4C8E-9D4A-2C1F7E6A5B40'
    const kept = await scene.client.call(GREET, frame('a'), { 'x-request-id': id })
    const made = await scene.client.call(GREET, frame('a'), { 'x-request-id': 'mine' })
    expect(kept.metadata['request-id']).toBe(id.toLowerCase())
    expect(made.metadata['request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('of a foreign gRPC client is answered, an empty message too', async () => {
    await using scene = await openScene(nats)
    scene.startNode()
    const client = new Client(scene.entrypoint.address, credentials.createInsecure())
    expect((await callWithGrpcJs(client, 'from grpc-js')).value).toBe('from grpc-js')
    expect((await callWithGrpcJs(client, '')).value).toBe('')
    client.close()
  })

  test('fails alone: of 200 at once, exactly the one in ten that fails, each with its own text', async () => {
    await using scene = await openScene(nats)
    scene.startNode({
      handler(request) {
        const text = Buffer.from(request.value).toString()
        return text.endsWith('3')
          ? { messageType: MESSAGE_TYPE.error, error: `no luck with ${text}` }
          : { value: request.value }
      },
    })
    const numbers = Array.from({ length: 200 }, (_, index) => String(index))
    const answers = await Promise.all(
      numbers.map((number) => scene.client.call(GREET, frame(number))),
    )
    for (const [index, answer] of answers.entries()) {
      if (index % 10 === 3)
        expect(answer).toMatchObject({
          status: GRPC_STATUS.internal,
          message: `no luck with ${index}`,
        })
      else expect(answer.payload.toString()).toBe(String(index))
    }
    expect(balanced(scene)).toMatchObject({ answered: 180, errored: 20, inFlight: 0, bytes: 0 })
  })

  test('gets the first answer; later ones are counted and dropped', async () => {
    await using scene = await openScene(nats)
    const node = scene.startNode({
      handler: (request) => {
        node.reply(request, { value: Buffer.from('early'), messageType: MESSAGE_TYPE.earlyReply })
        return { value: Buffer.from('late') }
      },
    })
    expect((await scene.client.call(GREET, frame('a'))).payload.toString()).toBe('early')
    await waitUntil('late reply', () => scene.entrypoint.stats().lateReplies === 1)
    expect(node.cancelled).toEqual([])
  })

  test('that is answered by an early exit is cancelled in all nodes', async () => {
    await using scene = await openScene(nats)
    const node = scene.startNode({
      handler: (request) => ({ value: request.value, messageType: MESSAGE_TYPE.earlyExit }),
    })
    const answer = await scene.client.call(GREET, frame('bye'))
    expect(answer.payload.toString()).toBe('bye')
    await waitUntil('cancellation', () => node.cancelled.length === 1)
    expect(node.cancelled[0]).toBe(answer.metadata['request-id'])
  })

  test('is not touched by an answer that carries the id of another one', async () => {
    await using scene = await openScene(nats)
    const node = scene.startNode({
      handler: (request) => {
        node.reply(request, { requestId: 'somebody else', error: 'x', messageType: 2 })
        return { value: request.value }
      },
    })
    expect((await scene.client.call(GREET, frame('mine'))).payload.toString()).toBe('mine')
  })
})

describe('a failure', () => {
  test('of a node has its text, its status and its origin for machines', async () => {
    await using scene = await openScene(nats)
    scene.startNode({
      handler: () => ({
        messageType: MESSAGE_TYPE.error,
        error: 'größer als 100 %\n',
        statusCode: 9,
      }),
    })
    const answer = await scene.client.call(GREET, frame('a'))
    expect(answer).toMatchObject({ status: 9, message: 'größer als 100 %\n', httpStatus: 200 })
    const info = readErrorInfo(String(answer.metadata['grpc-status-details-bin']))
    expect(info).toEqual({
      code: 9,
      domain: 'kre',
      reason: 'NODE_FAILED',
      metadata: { node: 'greeter', workflow: 'greet', requestId: answer.metadata['request-id'] },
    })
  })

  test('without a status is INTERNAL and lands in the log of the version', async () => {
    await using scene = await openScene(nats)
    const logs: string[] = []
    scene.nats.subscribe('x.*.*.*.o.log', {
      callback: (_error, message) => void logs.push(message.string()),
    })
    scene.startNode({ handler: () => ({ messageType: MESSAGE_TYPE.error, error: 'broken' }) })
    const answer = await scene.client.call(GREET, frame('a'))
    expect(answer).toMatchObject({ status: GRPC_STATUS.internal, message: 'broken' })
    await waitUntil('log record', () => logs.length > 0)
    expect(JSON.parse(logs[0] ?? '')).toMatchObject({
      kind: 'log',
      level: 'ERROR',
      message: 'broken',
      workflow: 'greet',
      requestId: answer.metadata['request-id'],
    })
  })

  test('of type: an answer of another message is INTERNAL and names both', async () => {
    await using scene = await openScene(nats)
    scene.startNode({ handler: () => ({ typeUrl: 'type.googleapis.com/demo.Wrong' }) })
    const answer = await scene.client.call(GREET, frame('a'))
    expect(answer.status).toBe(GRPC_STATUS.internal)
    expect(answer.message).toBe(
      'node "greeter" answered with a demo.Wrong, the rpc returns demo.Response',
    )
  })

  test('with a giant text keeps its headers acceptable', async () => {
    await using scene = await openScene(nats)
    const error = 'ü'.repeat(100_000)
    scene.startNode({ handler: () => ({ messageType: MESSAGE_TYPE.error, error }) })
    const client = new Client(scene.entrypoint.address, credentials.createInsecure())
    const { error: failure } = await callWithGrpcJs(client, 'a')
    expect(failure?.code).toBe(status.INTERNAL)
    expect(failure?.details).toMatch(/^ü{600,}$/)
    client.close()
  })

  test.each([
    ['an unknown rpc', '/demo.Entrypoint/Nothing', 'has /demo.Entrypoint/Greet'],
    ['an unknown service', '/some.Where/Greet', 'is not served'],
    ['an rpc without a workflow', UNUSED, 'no workflow of version'],
  ])('of %s is UNIMPLEMENTED, without broker traffic', async (_what, path, text) => {
    await using scene = await openScene(nats)
    const node = scene.startNode()
    const answer = await scene.client.call(path, frame('a'))
    expect(answer.status).toBe(GRPC_STATUS.unimplemented)
    expect(answer.message).toContain(text)
    expect(node.requests).toEqual([])
    expect(balanced(scene)).toMatchObject({ accepted: 0, refused: 1 })
  })
})

describe('a deadline', () => {
  test("of the caller ends the request and its work, in the caller's and our own words", async () => {
    await using scene = await openScene(nats)
    const node = scene.startNode({ handler: () => null })
    const answer = await scene.client.call(GREET, frame('a'), { 'grpc-timeout': '80m' })
    expect(answer).toMatchObject({
      status: GRPC_STATUS['deadline-exceeded'],
      message: 'workflow "greet" did not answer within 80 ms',
    })
    await waitUntil('cancellation', () => node.cancelled.length === 1)
    expect(balanced(scene)).toMatchObject({ expired: 1, inFlight: 0 })
  })

  test('of a foreign client is honoured', async () => {
    await using scene = await openScene(nats)
    scene.startNode({ handler: () => null })
    const client = new Client(scene.entrypoint.address, credentials.createInsecure())
    const { error } = await callWithGrpcJs(client, 'a', { deadlineMs: 100 })
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED)
    client.close()
  })

  test("of the workflow and of the runtime bound a caller's longer one", async () => {
    await using scene = await openScene(nats, { launch: { requestTimeoutMs: 60 } })
    scene.startNode({ handler: () => null })
    const answer = await scene.client.call(GREET, frame('a'), { 'grpc-timeout': '99999999H' })
    expect(answer.message).toContain('within 60 ms')
    await using longer = await openScene(nats)
    longer.startNode({ workflow: 'other', node: 'first', handler: () => null })
    longer.startNode({ workflow: 'other', node: 'second', isFirst: false })
    expect((await longer.client.call(OTHER, frame('a'))).message).toContain('within 400 ms')
  })

  test('of zero is exceeded before anything is sent; nonsense is INVALID_ARGUMENT', async () => {
    await using scene = await openScene(nats)
    const node = scene.startNode()
    const zero = await scene.client.call(GREET, frame('a'), { 'grpc-timeout': '0S' })
    expect(zero.status).toBe(GRPC_STATUS['deadline-exceeded'])
    for (const timeout of ['5', 'S', '123456789S', '-1S', '1.5S', '5 S']) {
      const answer = await scene.client.call(GREET, frame('a'), { 'grpc-timeout': timeout })
      expect(answer.status).toBe(GRPC_STATUS['invalid-argument'])
    }
    expect(node.requests).toEqual([])
  })
})

describe('a caller that goes away', () => {
  test('stops the work in the nodes', async () => {
    await using scene = await openScene(nats)
    const node = scene.startNode({ handler: () => null })
    const stream = scene.client.open(GREET)
    const response = readResponse(stream)
    stream.end(frame('a'))
    await waitUntil('request', () => node.requests.length === 1)
    stream.close(8)
    await response
    await waitUntil('cancellation', () => node.cancelled.length === 1)
    expect(node.cancelled).toEqual([node.requests[0]?.requestId])
    expect(balanced(scene)).toMatchObject({ cancelled: 1, inFlight: 0, bytes: 0 })
  })

  test('by cancel or by its connection counts the same', async () => {
    await using scene = await openScene(nats)
    const node = scene.startNode({ handler: () => null })
    const client = new Client(scene.entrypoint.address, credentials.createInsecure())
    const call = client.makeUnaryRequest(GREET, raw, raw, Buffer.from('a'), () => undefined)
    scene.client
      .open(GREET)
      .on('error', () => undefined)
      .end(frame('b'))
    await waitUntil('requests', () => node.requests.length === 2)
    call.cancel()
    scene.client.session.destroy()
    await waitUntil('cancellations', () => node.cancelled.length === 2)
    await waitUntil('released', () => balanced(scene).cancelled === 2)
    client.close()
  })
})

describe('sizes and encodings', () => {
  test('a message of the limit passes, one byte more is INVALID_ARGUMENT with size and limit', async () => {
    await using scene = await openScene(nats, { launch: { payloadBytesMax: 50_000 } })
    scene.startNode({ handler: (request) => ({ value: Buffer.from(`${request.value.length}`) }) })
    for (const bytes of [49_999, 50_000]) {
      const answer = await scene.client.call(GREET, frame(Buffer.alloc(bytes)))
      expect(answer.payload.toString()).toBe(String(bytes))
    }
    const answer = await scene.client.call(GREET, frame(Buffer.alloc(50_001)))
    expect(answer.status).toBe(GRPC_STATUS['invalid-argument'])
    expect(answer.message).toContain('50001 bytes and the limit is 50000')
    await waitUntil('released', () => scene.entrypoint.stats().bytes === 0)
  })

  test('an answer beyond the limit is RESOURCE_EXHAUSTED with size and limit', async () => {
    await using scene = await openScene(nats, { launch: { payloadBytesMax: 1_000 } })
    scene.startNode({
      handler: (request) => ({ value: Buffer.alloc(request.value[0] === 1 ? 1_000 : 1_001) }),
    })
    expect((await scene.client.call(GREET, frame(Buffer.from([1])))).payload.length).toBe(1_000)
    const answer = await scene.client.call(GREET, frame(Buffer.from([2])))
    expect(answer.status).toBe(GRPC_STATUS['resource-exhausted'])
    expect(answer.message).toContain('1001 bytes and the limit is 1000')
  })

  test('a message that needs the bucket for large payloads is UNAVAILABLE without it', async () => {
    await using scene = await openScene(nats, { launch: { payloadBytesMax: 4_000_000 } })
    scene.startNode()
    const answer = await scene.client.call(GREET, frame(randomBytes(2_000_000)))
    expect(answer.status).toBe(GRPC_STATUS.unavailable)
    expect(answer.message).toContain("the request's message of 2000000 bytes can't be sent")
    expect(answer.message).toContain('it has no such bucket')
    expect((await scene.client.call(GREET, frame('after'))).status).toBe(0)
  })

  test('gzip is taken, and bounded while it inflates', async () => {
    await using scene = await openScene(nats)
    const node = scene.startNode()
    const gzip = { 'grpc-encoding': 'gzip' }
    const answer = await scene.client.call(GREET, frame(gzipSync('packed'), 1), gzip)
    expect(answer.payload.toString()).toBe('packed')
    const atLimit = await scene.client.call(GREET, frame(gzipSync(Buffer.alloc(100_000)), 1), gzip)
    expect(atLimit.status).toBe(0)
    const bomb = await scene.client.call(GREET, frame(gzipSync(Buffer.alloc(50_000_000)), 1), gzip)
    expect(bomb.status).toBe(GRPC_STATUS['invalid-argument'])
    expect(bomb.message).toContain('limit is 100000')
    const broken = await scene.client.call(GREET, frame('not gzip', 1), gzip)
    expect(broken.status).toBe(GRPC_STATUS['invalid-argument'])
    // A message may be plain although the stream declares an encoding.
    expect((await scene.client.call(GREET, frame('plain'), gzip)).status).toBe(0)
    expect(node.requests.length).toBe(3)
    await waitUntil('released', () => scene.entrypoint.stats().bytes === 0)
  })

  test('a large answer is compressed for a caller that compresses and accepts it, when that helps', async () => {
    await using scene = await openScene(nats)
    const noise = Buffer.from(Array.from({ length: 80_000 }, () => Math.floor(Math.random() * 256)))
    scene.startNode({
      handler: ({ value }) => ({ value: value[0] === 1 ? Buffer.alloc(80_000) : noise }),
    })
    const accepts = { 'grpc-accept-encoding': 'identity,deflate,gzip' }
    const compresses = { ...accepts, 'grpc-encoding': 'gzip' }
    const ask = (byte: number) => frame(gzipSync(Buffer.from([byte])), 1)
    const packed = await scene.client.call(GREET, ask(1), compresses)
    expect(packed.metadata['grpc-encoding']).toBe('gzip')
    expect(packed.body[0]).toBe(1)
    expect(gunzipSync(packed.payload)).toEqual(Buffer.alloc(80_000))
    const unpacked = await scene.client.call(GREET, ask(2), compresses)
    expect(unpacked.metadata['grpc-encoding']).toBeUndefined()
    expect(unpacked.payload).toEqual(noise)
    const plain = await scene.client.call(GREET, frame(Buffer.from([1])), accepts)
    expect(plain.payload.length).toBe(80_000)
  })

  test("a node's compressed answer is inflated, and bounded", async () => {
    await using scene = await openScene(nats)
    scene.startNode({
      handler: ({ value }) => ({
        value: gzipSync(value[0] === 1 ? 'from a node' : Buffer.alloc(5_000_000)),
        encoding: 1,
      }),
    })
    const answer = await scene.client.call(GREET, frame(Buffer.from([1])))
    expect(answer.payload.toString()).toBe('from a node')
    const bomb = await scene.client.call(GREET, frame(Buffer.from([2])))
    expect(bomb.status).toBe(GRPC_STATUS['resource-exhausted'])
  })
})

describe('overload', () => {
  test('turns requests away with RESOURCE_EXHAUSTED and a time to come back', async () => {
    await using scene = await openScene(nats, { limits: { inFlightMax: 3 } })
    const node = scene.startNode({ handler: () => null })
    const waiting = [1, 2, 3].map(() => scene.client.call(GREET, frame('a')))
    await waitUntil('three requests', () => node.requests.length === 3)
    const refused = await scene.client.call(GREET, frame('a'))
    expect(refused.status).toBe(GRPC_STATUS['resource-exhausted'])
    expect(Number(refused.metadata['retry-after-ms'])).toBeGreaterThan(0)
    expect(refused.metadata['grpc-retry-pushback-ms']).toBe(refused.metadata['retry-after-ms'])
    for (const request of node.requests) node.reply(request, { value: request.value })
    expect((await Promise.all(waiting)).map((answer) => answer.status)).toEqual([0, 0, 0])
    expect(balanced(scene)).toMatchObject({ answered: 3, refused: 1 })
  })

  test('of bytes is refused while they are held, and over when they are not', async () => {
    await using scene = await openScene(nats, { limits: { bytesMax: 150_000 } })
    const node = scene.startNode({ handler: () => null })
    const first = scene.client.call(GREET, frame(Buffer.alloc(90_000)))
    await waitUntil('first request', () => node.requests.length === 1)
    const refused = await scene.client.call(GREET, frame(Buffer.alloc(90_000)))
    expect(refused.status).toBe(GRPC_STATUS['resource-exhausted'])
    const [request] = node.requests
    if (request !== undefined) node.reply(request, { value: new Uint8Array(0) })
    await first
    await waitUntil('released', () => scene.entrypoint.stats().bytes === 0)
    const again = scene.client.call(GREET, frame(Buffer.alloc(90_000)))
    await waitUntil('second request', () => node.requests.length === 2)
    const [, second] = node.requests
    if (second !== undefined) node.reply(second, { value: new Uint8Array(0) })
    expect((await again).status).toBe(0)
  })
})

test('a workflow_elapsed_time measurement sums up the requests of a second', async () => {
  await using scene = await openScene(nats)
  const records: { fields: Record<string, number>; tags: Record<string, string> }[] = []
  scene.nats.subscribe('x.*.*.greet.o.measurement', {
    callback: (_error, message) => void records.push(message.json()),
  })
  scene.startNode()
  await Promise.all([1, 2, 3].map(() => scene.client.call(GREET, frame('a'))))
  const sum = () => records.reduce((total, { fields }) => total + (fields['count'] ?? 0), 0)
  await waitUntil('measurement', () => sum() === 3)
  expect(records[0]).toMatchObject({
    measurement: 'workflow_elapsed_time',
    tags: { workflow: 'greet', version: scene.version },
  })
})

function readErrorInfo(details: string) {
  const reader = new ProtoReader(Buffer.from(details, 'base64'))
  const found = { code: 0, domain: '', reason: '', metadata: {} as Record<string, string> }
  while (reader.next()) {
    if (reader.field === 1) found.code = reader.uint()
    else if (reader.field === 3) {
      const any = reader.message()
      while (any.next()) {
        if (any.field !== 2) any.skip()
        else {
          const info = any.message()
          while (info.next()) {
            if (info.field === 1) found.reason = info.string()
            else if (info.field === 2) found.domain = info.string()
            else {
              const entry = info.message()
              let key = ''
              while (entry.next()) {
                if (entry.field === 1) key = entry.string()
                else found.metadata[key] = entry.string()
              }
            }
          }
        }
      }
    } else reader.skip()
  }
  return found
}
