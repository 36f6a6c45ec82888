/** Requests for nodes that sleep: they wait for them, within their deadlines, and ask the engine for them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { controlSubject, GRPC_STATUS, WakeCall } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { GREET, OTHER, RUNTIME } from './testing/demo-version.ts'
import { frame } from './testing/raw-client.ts'
import { openScene, type Scene } from './testing/scene.ts'

let server: TestNats
beforeAll(async () => {
  server = await startNats()
})
afterAll(async () => server[Symbol.asyncDispose]())

/** `greet` sleeps, and so does the second node of `other`. */
const SLEEPERS = {
  workflows: [
    { id: 'greet', timeoutMs: null, nodes: ['greeter'], sleepers: ['greeter'] },
    { id: 'other', timeoutMs: 400, nodes: ['first', 'second'], sleepers: ['second'] },
  ],
}
const QUICK = { holdMs: 50, wakeMs: 20 }

async function open(limits: object = QUICK): Promise<Scene & { calls: string[] }> {
  const { workflows } = SLEEPERS
  const scene = await openScene(server, { served: { workflows }, limits })
  const calls: string[] = []
  scene.nats.subscribe(controlSubject({ runtimeId: RUNTIME, version: scene.version }, 'wake'), {
    callback: (_error, message) => void calls.push(WakeCall.parse(message.json()).workflow),
  })
  await scene.nats.flush()
  return Object.assign(scene, { calls })
}
const HEALTH = '/grpc.health.v1.Health/Check'
/** 1 = serving, 2 = not serving. */
const healthOf = async ({ client }: Scene) => (await client.call(HEALTH, frame(''))).payload.at(-1)

describe('a request for nodes that sleep', () => {
  test('asks for them, waits longer than for others, and is answered when they are there', async () => {
    await using scene = await open()
    const answer = scene.client.call(GREET, frame('early'))
    await waitUntil('a call for the node', () => scene.calls.length > 0)
    expect(scene.calls).toEqual(['greet'])
    // Long after the time that a request waits for a node that is missing.
    await waitUntil('another one', () => scene.calls.length > 1)
    expect(scene.entrypoint.stats()).toMatchObject({ held: 1, errored: 0 })
    scene.startNode({ workflow: 'greet', node: 'greeter' })
    expect(await answer).toMatchObject({ status: 0 })
    expect(scene.entrypoint.stats()).toMatchObject({ answered: 1, held: 0 })
  })

  test('that is not answered in time is told what it has waited for', async () => {
    await using scene = await open()
    const { status, message } = await scene.client.call(GREET, frame('x'), {
      'grpc-timeout': '150m',
    })
    expect(status).toBe(GRPC_STATUS['deadline-exceeded'])
    expect(message).toContain(
      'did not answer within 150 ms (node "greeter" of workflow "greet" of version',
    )
    expect(message).toContain('was scaled to zero and is still starting')
  })

  test('waits no longer than ever for a node that does not sleep', async () => {
    await using scene = await open()
    const { status, message } = await scene.client.call(OTHER, frame('x'))
    expect(status).toBe(GRPC_STATUS.unavailable)
    expect(message).toContain('nodes "first", "second"')
    expect(scene.calls).toEqual([])
  })

  test('is refused with a time to come back when as many wait as may', async () => {
    await using scene = await open({ ...QUICK, heldMax: 2 })
    const waiting = [1, 2].map(async () => scene.client.call(GREET, frame('x')))
    await waitUntil('two wait', () => scene.entrypoint.stats().held === 2)
    const refused = await scene.client.call(GREET, frame('x'))
    expect(refused.status).toBe(GRPC_STATUS['resource-exhausted'])
    expect(refused.message).toContain('2 requests wait for that already')
    scene.startNode({ workflow: 'greet', node: 'greeter' })
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([0, 0])
  })

  test('is sent again, and not lost, when its node goes to sleep in this moment', async () => {
    await using scene = await open()
    const node = scene.startNode({ workflow: 'greet', node: 'greeter' })
    expect((await scene.client.call(GREET, frame('x'))).status).toBe(0)
    // It has left without a word that could have come here before the request.
    node.stop()
    await scene.nats.flush()
    const answer = scene.client.call(GREET, frame('y'))
    await waitUntil('a call for the node', () => scene.calls.includes('greet'))
    scene.startNode({ workflow: 'greet', node: 'greeter', replica: 1 })
    expect((await answer).status).toBe(0)
  })
})

describe('an entrypoint whose nodes sleep', () => {
  test('is ready without them, and not without others', async () => {
    await using scene = await open()
    expect(await healthOf(scene)).toBe(2)
    scene.startNode({ workflow: 'other', node: 'first' })
    await waitUntil('it is ready', async () => (await healthOf(scene)) === 1)
  })
})
