import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRPC_STATUS, type VersionInterface } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { GREET, OTHER } from './testing/demo-version.ts'
import { frame } from './testing/raw-client.ts'
import { openScene, type Scene } from './testing/scene.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const EXHAUSTED = GRPC_STATUS['resource-exhausted']
const limited = (limits: VersionInterface['workflows'][number]['limits']) => ({
  served: {
    workflows: [
      { id: 'greet', timeoutMs: null, nodes: ['greeter'], ...(limits && { limits }) },
      { id: 'other', timeoutMs: null, nodes: ['greeter'] },
    ],
  },
})
const call = (scene: Scene, bytes = 1, priority?: string, method = GREET) =>
  scene.client.call(
    method,
    frame(Buffer.alloc(bytes)),
    priority === undefined ? {} : { 'x-krt-priority': priority },
  )

describe('a workflow with limits', () => {
  test('lets in so many requests, whatever other workflows have in flight', async () => {
    await using scene = await openScene(nats, limited({ maxInFlight: 2 }))
    const node = scene.startNode({ handler: () => null })
    const other = scene.startNode({ workflow: 'other', handler: () => null })
    const calls = [call(scene), call(scene), call(scene, 1, undefined, OTHER)]
    await waitUntil('in flight', () => node.requests.length + other.requests.length === 3)
    const refused = await call(scene)
    expect(refused.status).toBe(EXHAUSTED)
    expect(refused.metadata['grpc-message']).toContain('limits.maxInFlight')
    expect(Number(refused.metadata['retry-after-ms'])).toBeGreaterThan(0)
    for (const request of node.requests) node.reply(request, { value: request.value })
    for (const request of other.requests) other.reply(request, { value: request.value })
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([0, 0, 0])
    const again = call(scene)
    await waitUntil('room again', () => node.requests.length === 3)
    const last = node.requests[2]
    if (last !== undefined) node.reply(last, { value: last.value })
    expect((await again).status).toBe(0)
  })

  test('lets in requests of low priority up to half of that', async () => {
    await using scene = await openScene(nats, limited({ maxInFlight: 4 }))
    const node = scene.startNode({ handler: () => null })
    const calls = [call(scene, 1, 'low'), call(scene, 1, 'low')]
    await waitUntil('in flight', () => node.requests.length === 2)
    expect((await call(scene, 1, 'low')).status).toBe(EXHAUSTED)
    calls.push(call(scene, 1, 'high'), call(scene))
    await waitUntil('in flight', () => node.requests.length === 4)
    expect((await call(scene, 1, 'high')).status).toBe(EXHAUSTED)
    for (const request of node.requests) node.reply(request, { value: request.value })
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([0, 0, 0, 0])
  })

  test('lets in so many bytes, and says which request is larger than ever let in', async () => {
    await using scene = await openScene(nats, limited({ maxBytes: 1_000 }))
    const node = scene.startNode({ handler: () => null })
    const first = call(scene, 700)
    await waitUntil('in flight', () => node.requests.length === 1)
    expect((await call(scene, 700)).status).toBe(EXHAUSTED)
    expect((await call(scene, 1_001)).status).toBe(GRPC_STATUS['invalid-argument'])
    const second = call(scene, 300)
    await waitUntil('in flight', () => node.requests.length === 2)
    for (const request of node.requests) node.reply(request, { value: new Uint8Array(0) })
    expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([0, 0])
  })

  test('has room again after requests that failed, expired, or whose caller has gone', async () => {
    await using scene = await openScene(nats, limited({ maxInFlight: 1, maxBytes: 10 }))
    const node = scene.startNode({ handler: () => null })
    const expired = await scene.client.call(GREET, frame(Buffer.alloc(9)), {
      'grpc-timeout': '50m',
    })
    expect(expired.status).toBe(GRPC_STATUS['deadline-exceeded'])
    const failing = call(scene, 9)
    await waitUntil('in flight', () => node.requests.length === 2)
    const request = node.requests[1]
    if (request !== undefined) node.reply(request, { messageType: 2, error: 'no' })
    expect((await failing).status).toBe(GRPC_STATUS.internal)
    const last = call(scene, 9)
    await waitUntil('in flight', () => node.requests.length === 3)
    const third = node.requests[2]
    if (third !== undefined) node.reply(third, { value: new Uint8Array(0) })
    expect((await last).status).toBe(0)
  })
})

test('a priority that is none is refused with those that are', async () => {
  await using scene = await openScene(nats)
  scene.startNode()
  const refused = await call(scene, 1, 'urgent')
  expect(refused.status).toBe(GRPC_STATUS['invalid-argument'])
  expect(refused.metadata['grpc-message']).toBe(
    'x-krt-priority "urgent" is no priority: use high, normal, low',
  )
})

test('a node that has no room says when to come back', async () => {
  await using scene = await openScene(nats)
  scene.startNode({
    handler: () => ({
      messageType: 2,
      error: "node 'greeter' is overloaded",
      statusCode: EXHAUSTED,
      metadata: { 'retry-after-ms': '1234' },
    }),
  })
  const refused = await call(scene)
  expect(refused.status).toBe(EXHAUSTED)
  expect(refused.metadata).toMatchObject({
    'retry-after-ms': '1234',
    'grpc-retry-pushback-ms': '1234',
  })
})

test('requests are refused at the door while nodes refuse most, but for those of high priority', async () => {
  await using scene = await openScene(nats)
  const metadata = { 'retry-after-ms': '100' }
  const node = scene.startNode({
    handler: () => ({ messageType: 2, error: 'full', statusCode: EXHAUSTED, metadata }),
  })
  const answers = []
  for (let i = 0; i < 100; i++) answers.push(await call(scene))
  expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(EXHAUSTED))
  const seen = node.requests.length
  expect(seen).toBeLessThan(90)
  const atTheDoor = answers.find((answer) =>
    String(answer.metadata['grpc-message']).startsWith('nodes of'),
  )
  expect(Number(atTheDoor?.metadata['retry-after-ms'])).toBeGreaterThan(0)
  for (let i = 0; i < 20; i++) await call(scene, 1, 'high')
  expect(node.requests.length).toBe(seen + 20)
})
