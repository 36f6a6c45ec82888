import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MetricsReport, metricsSubject } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { GREET, RUNTIME } from '../testing/demo-version.ts'
import { connectRaw, frame } from '../testing/raw-client.ts'
import { openScene } from '../testing/scene.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

test('whatever is turned away is counted by its reason', async () => {
  await using scene = await openScene(nats, {
    limits: {
      inFlightMax: 1,
      bytesMax: 200_000,
      receiveMs: 100,
      handshakeMs: 100,
      sweepMs: 20,
      connectionsMax: 4,
    },
  })
  const node = scene.startNode({ handler: () => null })
  const counts = new Map<string, number>()
  scene.nats.subscribe(metricsSubject(RUNTIME), {
    callback: (_, message) => {
      for (const { name, labels, value } of MetricsReport.parse(message.json()).counters)
        if (name === 'kre_refusals_total') counts.set(labels['reason'] ?? '', value)
    },
  })
  const url = `http://${scene.entrypoint.address}`
  const raw = async (text: string) => {
    const socket = connect(scene.entrypoint.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    await once(socket, 'connect')
    socket.write(text)
    await closed
  }

  // Over gRPC, over HTTP/1, and before anything is known.
  await scene.client.call('/no.Such/Method', frame('x'))
  await scene.client.call(GREET, Buffer.from('no frame'))
  await scene.client.call(GREET, frame(Buffer.alloc(100_001)))
  await scene.client.call(GREET, frame(gzipSync(Buffer.alloc(9_000_000)), 1), {
    'grpc-encoding': 'gzip',
  })
  await scene.client.call(GREET, frame('x'), { 'grpc-timeout': 'soon' })
  const running = scene.client.open(GREET)
  running.on('error', () => undefined)
  running.end(frame('x'))
  await waitUntil('with the node', () => node.requests.length === 1)
  await scene.client.call(GREET, frame('one too many'))
  running.close(8)
  await fetch(`${url}/nowhere`)
  await fetch(url + GREET, {
    method: 'POST',
    body: '{"x',
    headers: { 'content-type': 'application/json' },
  })
  await raw('GET / HTTP/1.1\r\nno header\r\n\r\n')
  await raw('GET / HTTP/1.1\r\nhost: x\r\n')
  await raw('GE')
  await raw('PRI')
  await raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nno frames at all')
  await scene.client.call(GREET, frame('x'), { 'x-krt-large': 'x'.repeat(20_000) })
  const { refused } = scene.entrypoint.stats()
  expect(refused).toBe(8)
  const crowd = await Promise.all(Array.from({ length: 6 }, () => raw('GET / HTTP/1.1\r\n')))
  expect(crowd).toHaveLength(6)
  await using late = await connectRaw(scene.entrypoint.address)
  await late[Symbol.asyncDispose]()

  await scene.entrypoint.stop()
  // What was reported before the end is not all.
  const isSaid = (reason: string, most: number) => (counts.get(reason) ?? 0) >= most
  await waitUntil(
    'the last ones are said',
    () =>
      isSaid('HEADERS_TOO_LARGE', 1) &&
      isSaid('TOO_MANY_CONNECTIONS', 1) &&
      isSaid('REQUEST_TOO_SLOW', 2),
  )
  const {
    TOO_MANY_CONNECTIONS: dropped,
    REQUEST_TOO_SLOW: slow,
    ...exact
  } = Object.fromEntries(counts)
  expect(exact).toEqual({
    UNKNOWN_METHOD: 1,
    BAD_FRAME: 1,
    PAYLOAD_TOO_LARGE: 2,
    BAD_TIMEOUT: 1,
    TOO_MANY_REQUESTS: 1,
    UNKNOWN_PATH: 1,
    BAD_JSON: 1,
    BAD_HTTP1: 1,
    HANDSHAKE_TOO_SLOW: 2,
    HTTP2_FRAME_SIZE_ERROR: 1,
    HEADERS_TOO_LARGE: 1,
  })
  expect(dropped).toBeGreaterThan(0)
  expect(slow).toBeGreaterThan(1)
})
