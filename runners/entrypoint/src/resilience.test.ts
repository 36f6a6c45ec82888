import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRPC_STATUS } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { startEntrypoint } from './service.ts'
import {
  demoInterface,
  demoLaunch,
  GREET,
  OTHER,
  publishVersion,
  sendDeathNotice,
  startNode,
  writeInterface,
} from './testing/demo-version.ts'
import { startCuttableProxy } from './testing/cuttable-proxy.ts'
import { connectRaw, frame } from './testing/raw-client.ts'
import { openScene, silentLogger } from './testing/scene.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

describe('a request whose node is not there', () => {
  test('waits, and is sent when the node announces itself', async () => {
    await using scene = await openScene(nats)
    const answer = scene.client.call(GREET, frame('patience'))
    await waitUntil('held', () => scene.entrypoint.stats().held === 1)
    scene.startNode()
    expect((await answer).payload.toString()).toBe('patience')
    expect(scene.entrypoint.stats().held).toBe(0)
  })

  test('is UNAVAILABLE after the hold, and names the node', async () => {
    await using scene = await openScene(nats, { limits: { holdMs: 60 } })
    scene.startNode({ workflow: 'other', node: 'first' })
    const answer = await scene.client.call(OTHER, frame('a'))
    expect(answer.status).toBe(GRPC_STATUS.unavailable)
    expect(answer.message).toContain(
      `node "second" of workflow "other" of version "${scene.version}" has no ready replica`,
    )
  })

  test('ends at its own deadline when that is earlier, saying what it waited for', async () => {
    await using scene = await openScene(nats)
    const answer = await scene.client.call(GREET, frame('a'), { 'grpc-timeout': '50m' })
    expect(answer.status).toBe(GRPC_STATUS['deadline-exceeded'])
    expect(answer.message).toContain('node "greeter"')
  })

  test('is turned away at once when too many wait already', async () => {
    await using scene = await openScene(nats, { limits: { holdMs: 300, heldMax: 2 } })
    const answers = await Promise.all([1, 2, 3].map(() => scene.client.call(GREET, frame('a'))))
    expect(answers.map((answer) => answer.status)).toEqual([14, 14, 14])
    const turnedAway = answers.filter((answer) => answer.message.includes('2 requests wait'))
    expect(turnedAway.length).toBe(1)
  })

  test('waits for the right digest: a node of another bundle does not count', async () => {
    await using scene = await openScene(nats, { limits: { holdMs: 100 } })
    const wrong = scene.startNode({ digest: 'sha256:other' })
    const answer = await scene.client.call(GREET, frame('a'))
    expect(answer.status).toBe(GRPC_STATUS.unavailable)
    expect(wrong.requests).toEqual([])
  })

  test('is sent again when nobody listened yet, although the node had announced itself', async () => {
    await using scene = await openScene(nats)
    scene.startNode({ isFirst: false })
    const answer = scene.client.call(GREET, frame('a'))
    await waitUntil('held', () => scene.entrypoint.stats().held === 1)
    const node = scene.startNode({ replica: 1 })
    expect((await answer).status).toBe(0)
    // What nobody received was no attempt.
    expect(node.requests[0]?.attempt).toBe(1)
  })

  test('is UNAVAILABLE when nobody listens during the whole hold', async () => {
    await using scene = await openScene(nats, { limits: { holdMs: 100 } })
    scene.startNode({ isFirst: false })
    const answer = await scene.client.call(GREET, frame('a'))
    expect(answer.status).toBe(GRPC_STATUS.unavailable)
    expect(answer.message).toContain('no node listens to the requests of workflow "greet"')
  })

  test('counts a draining node as absent', async () => {
    await using scene = await openScene(nats, { limits: { holdMs: 100 } })
    const node = scene.startNode()
    const call = () => scene.client.call(GREET, frame('a'))
    await waitUntil('present', async () => (await call()).status === 0)
    node.announce({ state: 'draining' })
    await scene.nats.flush()
    await waitUntil('absent', async () => (await call()).status === GRPC_STATUS.unavailable)
  })
})

describe('a node that dies', () => {
  const death = (interrupted: string[], pid = 1) => ({
    workflow: 'greet',
    node: 'greeter',
    replica: 0,
    pid,
    interrupted,
    reason: 'killed',
  })

  test('has its requests sent again to the next replica, with the next attempt', async () => {
    await using scene = await openScene(nats)
    const first = scene.startNode({ handler: () => null })
    const answer = scene.client.call(GREET, frame('again'))
    await waitUntil('delivered', () => first.requests.length === 1)
    first.stop()
    sendDeathNotice(scene.nats, scene.version, death([]))
    await waitUntil('held', () => scene.entrypoint.stats().held === 1)
    const second = scene.startNode({ pid: 2 })
    expect((await answer).payload.toString()).toBe('again')
    expect(second.requests).toMatchObject([{ attempt: 2, requestId: first.requests[0]?.requestId }])
    expect(scene.entrypoint.stats()).toMatchObject({ resent: 1, answered: 1 })
  })

  test('is noticed by its next incarnation alone', async () => {
    await using scene = await openScene(nats)
    const first = scene.startNode({ handler: () => null })
    const answer = scene.client.call(GREET, frame('again'))
    await waitUntil('delivered', () => first.requests.length === 1)
    first.stop()
    scene.startNode({ pid: 2 })
    expect((await answer).payload.toString()).toBe('again')
  })

  test('twice with the same request inside fails that request only', async () => {
    await using scene = await openScene(nats)
    const first = scene.startNode({ handler: () => null })
    const poison = scene.client.call(GREET, frame('poison'))
    const bystander = scene.client.call(GREET, frame('bystander'))
    await waitUntil('delivered', () => first.requests.length === 2)
    const poisonId = first.requests.find(({ value }) => String.fromCharCode(...value) === 'poison')
      ?.requestId as string
    first.stop()
    sendDeathNotice(scene.nats, scene.version, death([poisonId]))
    // The same death, told once more by the new process: it counts once.
    const second = scene.startNode({ pid: 2, interrupted: [poisonId], handler: () => null })
    await waitUntil('delivered again', () => second.requests.length >= 2)
    second.stop()
    sendDeathNotice(scene.nats, scene.version, death([poisonId], 2))
    const failed = await poison
    expect(failed.status).toBe(GRPC_STATUS.internal)
    expect(failed.message).toBe('node "greeter" crashed twice while handling this request: killed')
    scene.startNode({ pid: 3 })
    expect((await bystander).payload.toString()).toBe('bystander')
  })

  test('and does not come back ends its requests as ABORTED', async () => {
    await using scene = await openScene(nats, { limits: { resendHoldMs: 60 } })
    const node = scene.startNode({ handler: () => null })
    const answer = scene.client.call(GREET, frame('a'))
    await waitUntil('delivered', () => node.requests.length === 1)
    node.stop()
    sendDeathNotice(scene.nats, scene.version, death([]))
    expect(await answer).toMatchObject({ status: GRPC_STATUS.aborted })
    expect((await answer).message).toContain('node "greeter"')
  })

  test('over and over is not followed for ever', async () => {
    await using scene = await openScene(nats, { limits: { attemptsMax: 3 } })
    let node = scene.startNode({ handler: () => null, pid: 1 })
    const answer = scene.client.call(GREET, frame('a'))
    for (let pid = 2; pid <= 4; pid++) {
      const before = node
      await waitUntil('delivered', () => before.requests.length > 0)
      before.stop()
      node = scene.startNode({ handler: () => null, pid })
    }
    expect(await answer).toMatchObject({ status: GRPC_STATUS.aborted })
    expect((await answer).message).toContain('3 times')
  })
})

describe('NATS', () => {
  test('killed and restarted loses no request in flight', async () => {
    await using server = await startNats()
    await using scene = await openScene(server)
    const node = scene.startNode({ handler: () => null })
    const answers = [1, 2, 3].map((number) => scene.client.call(GREET, frame(`${number}`)))
    await waitUntil('delivered', () => node.requests.length === 3)
    await server.restart()
    await waitUntil('delivered again', () => node.requests.length === 6)
    for (const request of node.requests.slice(3)) node.reply(request, { value: request.value })
    expect((await Promise.all(answers)).map(({ payload }) => payload.toString())).toEqual([
      '1',
      '2',
      '3',
    ])
    expect(node.requests[3]?.attempt).toBe(2)
    // And the routing is followed as before.
    expect((await scene.client.call(GREET, frame('a'), { 'grpc-timeout': '50m' })).status).toBe(4)
  })

  test('that is away holds new requests, then makes them UNAVAILABLE; back, it answers', async () => {
    await using proxy = await startCuttableProxy(nats.port)
    await using scene = await openScene(nats, {
      launch: { nats: { servers: [`127.0.0.1:${proxy.port}`], user: '', password: '' } },
      limits: { holdMs: 80 },
    })
    const node = scene.startNode()
    const call = () => scene.client.call(GREET, frame('a'), { 'grpc-timeout': '500m' })
    await waitUntil('the node is there', async () => (await call()).status === 0)
    await proxy.cut()
    const answer = await waitUntil('noticed', async () => {
      const each = await call()
      return each.status === GRPC_STATUS.unavailable ? each : null
    })
    expect(answer.message).toContain('no connection to NATS')
    const before = node.requests.length
    await proxy.heal()
    await waitUntil('answered', async () => (await call()).status === 0)
    // What was refused was never sent.
    expect(node.requests.length).toBeGreaterThan(before)
  })

  test('that comes back during the hold costs a new request only time', async () => {
    await using proxy = await startCuttableProxy(nats.port)
    await using scene = await openScene(nats, {
      launch: { nats: { servers: [`127.0.0.1:${proxy.port}`], user: '', password: '' } },
    })
    const node = scene.startNode({ handler: () => null })
    const inFlight = scene.client.call(GREET, frame('in flight'))
    await waitUntil('delivered', () => node.requests.length === 1)
    await proxy.cut()
    const [request] = node.requests
    // The answer goes to an inbox that nobody listens to now.
    if (request !== undefined) node.reply(request, { value: request.value })
    await scene.nats.flush()
    await proxy.heal()
    await waitUntil('sent again', () => node.requests.length === 2)
    const [, again] = node.requests
    if (again !== undefined) node.reply(again, { value: again.value })
    expect((await inFlight).payload.toString()).toBe('in flight')
  })
})

describe('the published version', () => {
  test('is UNAVAILABLE by name while none is', async () => {
    await using server = await startNats()
    const admin = await server.connect()
    await publishVersion(admin, null)
    await using entrypoint = await startEntrypoint(demoLaunch(server.access, { version: null }), {
      logger: silentLogger,
    })
    await using client = await connectRaw(entrypoint.address)
    expect(await client.call(GREET, frame('a'))).toMatchObject({
      status: GRPC_STATUS.unavailable,
      message: 'no version of runtime "demo-rt" is published',
    })
  })

  test('serves whoever calls as soon as it is published', async () => {
    await using server = await startNats()
    const admin = await server.connect()
    await writeInterface(admin, demoInterface('red'))
    startNode(admin, { version: 'red', handler: () => ({ value: Buffer.from('red') }) })
    await publishVersion(admin, null)
    await using entrypoint = await startEntrypoint(demoLaunch(server.access, { version: null }), {
      logger: silentLogger,
    })
    await using client = await connectRaw(entrypoint.address)
    for (let generation = 1; generation < 40; generation += 2) {
      await publishVersion(admin, 'red', generation)
      const answers = await Promise.all([1, 2, 3].map(() => client.call(GREET, frame('a'))))
      expect(answers.map(({ payload, message }) => [payload.toString(), message])).toEqual(
        answers.map(() => ['red', '']),
      )
      await publishVersion(admin, null, generation + 1)
      await waitUntil('unpublished', async () => {
        return (await client.call(GREET, frame('a'))).status === GRPC_STATUS.unavailable
      })
    }
  })

  test('changes under load without a failed request, on connections that stay', async () => {
    await using server = await startNats()
    const admin = await server.connect()
    for (const version of ['red', 'blue']) {
      await writeInterface(admin, demoInterface(version))
      startNode(admin, { version, handler: () => ({ value: Buffer.from(version) }) })
    }
    await publishVersion(admin, 'red')
    await using entrypoint = await startEntrypoint(demoLaunch(server.access, { version: null }), {
      logger: silentLogger,
    })
    await using client = await connectRaw(entrypoint.address)
    let isOver = false
    let generation = 1
    const failures: string[] = []
    const load = async () => {
      while (!isOver) {
        const answer = await client.call(GREET, frame('a'))
        if (answer.status !== 0) failures.push(answer.message)
      }
    }
    const loads = [load(), load(), load(), load()]
    const serves = async (version: string) => {
      const answer = await client.call(GREET, frame('a'))
      return answer.payload.toString() === version
    }
    for (const version of ['blue', 'red', 'blue', 'red', 'blue']) {
      await publishVersion(admin, version, ++generation)
      await waitUntil(`answers of ${version}`, () => serves(version))
    }
    isOver = true
    await Promise.all(loads)
    expect(failures).toEqual([])
    await publishVersion(admin, null, ++generation)
    await waitUntil('unpublished', async () => (await client.call(GREET, frame('a'))).status === 14)
  })

  test('is used once its interface is there; until then the old one goes on', async () => {
    await using server = await startNats()
    const admin = await server.connect()
    await writeInterface(admin, demoInterface('red'))
    startNode(admin, { version: 'red', handler: () => ({ value: Buffer.from('red') }) })
    startNode(admin, { version: 'blue', handler: () => ({ value: Buffer.from('blue') }) })
    await publishVersion(admin, 'red')
    await using entrypoint = await startEntrypoint(demoLaunch(server.access, { version: null }), {
      logger: silentLogger,
    })
    await using client = await connectRaw(entrypoint.address)
    await publishVersion(admin, 'blue', 2)
    expect((await client.call(GREET, frame('a'))).payload.toString()).toBe('red')
    await writeInterface(admin, demoInterface('blue'))
    await waitUntil('blue', async () => {
      const answer = await client.call(GREET, frame('a'))
      expect(answer.status).toBe(0)
      return answer.payload.toString() === 'blue'
    })
  })
})
