import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRPC_STATUS } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { GREET } from './testing/demo-version.ts'
import { connectRaw, frame, readResponse } from './testing/raw-client.ts'
import { openScene, type Scene } from './testing/scene.ts'

let nats: TestNats
let scene: Scene
beforeAll(async () => {
  nats = await startNats()
  scene = await openScene(nats, {
    limits: {
      receiveMs: 150,
      handshakeMs: 700,
      sweepMs: 50,
      streamsPerConnectionMax: 8,
      pingsPerSweepMax: 50,
    },
  })
  scene.startNode()
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

/** The same connection goes on, and a new one is taken. */
async function expectHealthy() {
  expect((await scene.client.call(GREET, frame('still here'))).status).toBe(0)
  await using fresh = await connectRaw(scene.entrypoint.address)
  expect((await fresh.call(GREET, frame('newcomer'))).status).toBe(0)
  await waitUntil('nothing held', () => scene.entrypoint.stats().bytes === 0)
}

function openTcp(): Promise<Socket> {
  const socket = connectTcp(scene.entrypoint.port, '127.0.0.1')
  socket.on('error', () => undefined)
  return once(socket, 'connect').then(() => socket)
}

describe('a malformed request gets a status and the connection lives', () => {
  const { unimplemented, internal } = GRPC_STATUS
  const invalid = GRPC_STATUS['invalid-argument']
  test.each<[string, Buffer | null, number, Record<string, string>]>([
    ['no message', null, unimplemented, {}],
    ['two messages', Buffer.concat([frame('a'), frame('b')]), unimplemented, {}],
    ['trailing bytes', Buffer.concat([frame('a'), Buffer.from([0, 0])]), invalid, {}],
    ['a cut prefix', Buffer.from([0, 0, 0]), invalid, {}],
    ['a cut message', frame('abcdef').subarray(0, 8), invalid, {}],
    ['a flag of neither 0 nor 1', frame('a', 7), invalid, {}],
    ['a compressed flag without an encoding', frame('a', 1), internal, {}],
    ['a length of 4 GiB', Buffer.from([0, 255, 255, 255, 255, 1]), invalid, {}],
    ['an unknown encoding', frame('a'), unimplemented, { 'grpc-encoding': 'snappy' }],
    ['text instead of frames', Buffer.from('{"json": true}'), invalid, {}],
  ])('%s', async (_what, body, status, headers) => {
    const answer = await scene.client.call(GREET, body, headers)
    expect(answer).toMatchObject({ httpStatus: 200, status })
    expect(answer.message).not.toBe('')
    await expectHealthy()
  })

  test.each([
    ['another content type', 415, { 'content-type': 'text/plain' }],
    ['GET', 405, { ':method': 'GET', 'content-type': 'application/grpc' }],
  ])('%s is HTTP %i', async (_what, httpStatus, headers) => {
    const answer = await scene.client.call(GREET, Buffer.from('x'), headers)
    expect(answer).toMatchObject({ httpStatus, status: -1 })
    await expectHealthy()
  })

  test('application/grpc+proto and parameters are gRPC', async () => {
    for (const type of ['application/grpc+proto', 'application/grpc; charset=utf-8']) {
      const answer = await scene.client.call(GREET, frame('a'), { 'content-type': type })
      expect(answer.status).toBe(0)
    }
  })

  test('a message that arrives byte by byte is one message', async () => {
    const stream = scene.client.open(GREET)
    const response = readResponse(stream)
    for (const byte of frame('slow')) stream.write(Buffer.from([byte]))
    stream.end()
    expect((await response).payload.toString()).toBe('slow')
  })

  test.each([16_400, 40_000, 60_000])(
    'a header of %d bytes is refused with the limit, and the connection goes on',
    async (bytes) => {
      const { session } = scene.client
      const large = { 'x-krt-big': '~'.repeat(bytes) }
      const grpc = await scene.client.call(GREET, frame('a'), large)
      expect(grpc).toMatchObject({
        status: GRPC_STATUS['resource-exhausted'],
        httpStatus: 200,
        message: expect.stringContaining('the limit is 16384: send less metadata'),
      })
      const json = { 'content-type': 'application/json', ...large }
      const http = await scene.client.call('/v1/anything', Buffer.from('{}'), json)
      expect(http).toMatchObject({ httpStatus: 431, status: -1 })
      expect(JSON.parse(http.body.toString())).toMatchObject({
        code: GRPC_STATUS['resource-exhausted'],
        details: [{ reason: 'HEADERS_TOO_LARGE' }],
      })
      await expectHealthy()
      expect(scene.client.session).toBe(session)
    },
  )
})

describe('a caller that stalls', () => {
  test('is cut off when its message does not arrive', async () => {
    const stream = scene.client.open(GREET)
    const response = readResponse(stream)
    stream.write(frame('never complete').subarray(0, 10))
    expect(await response).toMatchObject({ status: GRPC_STATUS['deadline-exceeded'] })
    await expectHealthy()
  })

  test('in hundreds holds what it sent, not what it announced', async () => {
    // Long enough for all of them to arrive on a busy computer before the first one times out.
    await using crowd = await openScene(nats, { limits: { receiveMs: 3_000 } })
    const clients = await Promise.all(
      Array.from({ length: 40 }, () => connectRaw(crowd.entrypoint.address)),
    )
    const responses = clients.flatMap((client) =>
      Array.from({ length: 8 }, () => {
        const stream = client.open(GREET)
        stream.write(frame(Buffer.alloc(90_000)).subarray(0, 20))
        return readResponse(stream)
      }),
    )
    await waitUntil('arriving', () => crowd.entrypoint.stats().receiving > 100)
    expect(crowd.entrypoint.stats().bytes).toBeLessThanOrEqual(320 * 4096)
    const statuses = (await Promise.all(responses)).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([GRPC_STATUS['deadline-exceeded']]))
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
  })

  test('and never reads its answer is cut off, and its bytes are given back', async () => {
    await using slow = await openScene(nats, { limits: { flushMs: 150 } })
    slow.startNode({ handler: () => ({ value: Buffer.alloc(90_000) }) })
    const streams = Array.from({ length: 8 }, () => {
      const stream = slow.client.open(GREET)
      stream.on('error', () => undefined)
      stream.pause()
      stream.end(frame('a'))
      return stream
    })
    await waitUntil('answered', () => slow.entrypoint.stats().answered === 8)
    expect(slow.entrypoint.stats().bytes).toBeGreaterThan(8 * 90_000)
    await waitUntil('cut off', () => slow.entrypoint.stats().bytes === 0)
    for (const stream of streams) stream.destroy()
  })
})

describe('a connection', () => {
  test('that speaks something else is dropped', async () => {
    const socket = await openTcp()
    socket.resume()
    socket.write('hello?\r\n\r\n')
    await once(socket, 'close')
    await expectHealthy()
  })

  test('that says nothing is dropped', async () => {
    const socket = await openTcp()
    socket.resume()
    await once(socket, 'close')
    await expectHealthy()
  })

  test('that floods with pings is ended', async () => {
    const client = await connectRaw(scene.entrypoint.address)
    const closed = new Promise((resolve) => client.session.once('close', resolve))
    const flood = setInterval(() => {
      for (let i = 0; i < 9 && !client.session.destroyed; i++) client.session.ping(() => undefined)
    }, 1)
    await closed
    clearInterval(flood)
    await expectHealthy()
  })

  test('that opens and resets streams rapidly does not hurt others', async () => {
    const client = await connectRaw(scene.entrypoint.address)
    for (let i = 0; i < 3_000 && !client.session.destroyed; i++) {
      const stream = client.open(GREET)
      stream.on('error', () => undefined)
      stream.close(8)
    }
    await expectHealthy()
    await client[Symbol.asyncDispose]()
    await waitUntil('released', () => {
      const stats = scene.entrypoint.stats()
      return stats.inFlight === 0 && stats.receiving === 0
    })
  })
})
