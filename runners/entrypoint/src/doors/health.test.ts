import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRPC_STATUS, ProtoWriter, READINESS_SERVICE, routingBucket } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { startEntrypoint } from '../service.ts'
import { demoLaunch, RUNTIME } from '../testing/demo-version.ts'
import { connectRaw, frame, readResponse } from '../testing/raw-client.ts'
import { openScene, type Scene, silentLogger } from '../testing/scene.ts'
import { SERVING_STATUS } from './health.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const CHECK = '/grpc.health.v1.Health/Check'
const WATCH = '/grpc.health.v1.Health/Watch'

function question(service: string): Buffer {
  const writer = new ProtoWriter()
  writer.string(1, service)
  return frame(writer.finish())
}

function startAll(scene: Scene) {
  return [
    scene.startNode(),
    scene.startNode({ workflow: 'other', node: 'first' }),
    scene.startNode({ workflow: 'other', node: 'second', isFirst: false }),
  ]
}

describe('health', () => {
  test.each(['', 'demo.Entrypoint', 'grpc.health.v1.Health'])(
    'of "%s" is SERVING once every node is there',
    async (service) => {
      await using scene = await openScene(nats)
      const check = async () => (await scene.client.call(CHECK, question(service))).payload[1]
      expect(await check()).toBe(SERVING_STATUS.notServing)
      startAll(scene)
      await waitUntil('serving', async () => (await check()) === SERVING_STATUS.serving)
    },
  )

  test('of its pod is SERVING once every node was there, also while one is away', async () => {
    await using scene = await openScene(nats)
    const check = async (service: string) =>
      (await scene.client.call(CHECK, question(service))).payload[1]
    expect(await check(READINESS_SERVICE)).toBe(SERVING_STATUS.notServing)
    const [first] = startAll(scene)
    const becomesReady = async () => (await check(READINESS_SERVICE)) === SERVING_STATUS.serving
    await waitUntil('ready', becomesReady)
    first?.announce({ state: 'draining' })
    const isSeen = async () => (await check('')) === SERVING_STATUS.notServing
    await waitUntil('its absence is seen', isSeen)
    expect(await check(READINESS_SERVICE)).toBe(SERVING_STATUS.serving)
  })

  test('of its pod is SERVING while nothing is published: callers are told so', async () => {
    await using scene = await openScene(nats, {
      launch: { version: null, versionId: null },
    })
    const check = async (service: string) =>
      (await scene.client.call(CHECK, question(service))).payload[1]
    const becomesReady = async () => (await check(READINESS_SERVICE)) === SERVING_STATUS.serving
    await waitUntil('ready', becomesReady)
    expect(await check('')).toBe(SERVING_STATUS.notServing)
  })

  test('of an unknown service is NOT_FOUND, of nonsense INVALID_ARGUMENT', async () => {
    await using scene = await openScene(nats)
    const unknown = await scene.client.call(CHECK, question('who.is.This'))
    expect(unknown.status).toBe(GRPC_STATUS['not-found'])
    const nonsense = await scene.client.call(CHECK, frame('\xff\xff\xff'))
    expect(nonsense.status).toBe(GRPC_STATUS['invalid-argument'])
  })

  test('is told to a watcher at once and at each change, until the stop', async () => {
    await using scene = await openScene(nats)
    const stream = scene.client.open(WATCH)
    const response = readResponse(stream)
    const seen: number[] = []
    stream.on('data', (chunk: Buffer) => seen.push(chunk[6] as number))
    stream.end(question(''))
    await waitUntil('first', () => seen.length === 1)
    const [first] = startAll(scene)
    await waitUntil('serving', () => seen.length === 2)
    first?.announce({ state: 'draining' })
    await waitUntil('not serving', () => seen.length === 3)
    expect(seen).toEqual([2, 1, 2])
    await scene.entrypoint.stop()
    expect((await response).status).toBe(GRPC_STATUS.unavailable)
  })

  test('of its pod is told to a watcher that is there before it is known what is published', async () => {
    await using server = await startNats()
    const stock = await server.connect()
    const launch = demoLaunch(server.access, { version: null, versionId: null })
    // It listens without the bucket that says it.
    await using entrypoint = await startEntrypoint(launch, {
      limits: { holdMs: 1 },
      logger: silentLogger,
    })
    await using client = await connectRaw(entrypoint.address)
    const stream = client.open(WATCH)
    const seen: number[] = []
    stream.on('data', (chunk: Buffer) => seen.push(chunk[6] as number))
    stream.on('error', () => undefined)
    stream.end(question(READINESS_SERVICE))
    await waitUntil('first', () => seen.length === 1)
    await new Kvm(jetstream(stock)).create(routingBucket(RUNTIME))
    await waitUntil('ready', () => seen.length === 2)
    expect(seen).toEqual([SERVING_STATUS.notServing, SERVING_STATUS.serving])
  })

  test('watch of an unknown service says so and goes on', async () => {
    await using scene = await openScene(nats)
    const stream = scene.client.open(WATCH)
    const seen: number[] = []
    stream.on('data', (chunk: Buffer) => seen.push(chunk[6] as number))
    stream.on('error', () => undefined)
    stream.end(question('who.is.This'))
    await waitUntil('answer', () => seen.length === 1)
    expect(seen).toEqual([SERVING_STATUS.serviceUnknown])
    expect(stream.closed).toBe(false)
  })
})
