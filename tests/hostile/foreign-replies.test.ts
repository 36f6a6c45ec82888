/** What arrives where answers are expected: from nodes that are wrong, late, or somebody else's. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  emptyEnvelope,
  encodeEnvelope,
  type Envelope,
  MESSAGE_TYPE,
  controlSubject,
} from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import fc from 'fast-check'
import {
  demoInterface,
  GREET,
  OTHER,
  RUNTIME,
} from '../../runners/entrypoint/src/testing/demo-version.ts'
import { openSender } from '../../runners/entrypoint/src/testing/frame-sender.ts'
import { frame, readResponse } from '../../runners/entrypoint/src/testing/raw-client.ts'
import { openScene, type Scene } from '../../runners/entrypoint/src/testing/scene.ts'

const RESPONSE = 'type.googleapis.com/demo.Response'
let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

/** So many calls that no node answers. */
async function open(scene: Scene, count: number) {
  const node = scene.startNode({ handler: () => null })
  const responses = Array.from({ length: count }, (_, i) => {
    const stream = scene.client.open(GREET)
    stream.end(frame(`question ${i}`))
    return readResponse(stream)
  })
  await waitUntil('with the node', () => node.requests.length === count)
  const requests = new Map(
    node.requests.map((request) => [Buffer.from(request.value).toString(), request]),
  )
  const requestOf = (i: number) => requests.get(`question ${i}`) as Envelope
  return { node, responses, requestOf }
}

/** Everything that was published before is seen by now. */
async function settle(scene: Scene) {
  await scene.nats.flush()
  const { lateReplies } = scene.entrypoint.stats()
  // A message behind the others, in the same subscription.
  scene.nats.publish(`${prefixOf.get(scene)}zzzzzz`, new Uint8Array(0))
  await waitUntil('all were seen', () => scene.entrypoint.stats().lateReplies > lateReplies)
}
const prefixOf = new WeakMap<Scene, string>()

test('answers go to their own callers, whatever else comes in between', async () => {
  await using scene = await openScene(nats)
  const { node, responses, requestOf } = await open(scene, 40)
  const { replyTo } = requestOf(0)
  const prefix = replyTo.slice(0, replyTo.lastIndexOf('.') + 1)
  prefixOf.set(scene, prefix)
  const own = new Set(Array.from({ length: 40 }, (_, i) => requestOf(i).replyTo))

  const token = fc.oneof(
    fc.stringMatching(/^[0-9a-z_-]{1,12}$/),
    fc.nat({ max: 200 }).map((id) => id.toString(36)),
    fc.constantFrom('_1', '-1', 'NaN', 'Infinity', '0x10', '1e9', '9'.repeat(300)),
  )
  const envelope = fc
    .record({
      requestId: fc.oneof(fc.uuid(), fc.constant(''), fc.constant(requestOf(1).requestId)),
      messageType: fc.constantFrom(...Object.values(MESSAGE_TYPE)),
      value: fc.uint8Array({ maxLength: 30 }),
      sequence: fc.nat({ max: 5 }),
      error: fc.string({ maxLength: 10 }),
      typeUrl: fc.constantFrom(RESPONSE, '', 'x'),
    })
    .map((fields) => encodeEnvelope({ ...emptyEnvelope(), ...fields }))
  const anyMessage = fc.tuple(
    token,
    fc.oneof(envelope, fc.uint8Array({ maxLength: 60 }), fc.constant(Buffer.from('1f8b08', 'hex'))),
    fc.constantFrom('', 'nobody.hears', '_R.x'),
  )
  fc.assert(
    fc.property(anyMessage, ([to, data, reply]) => {
      // The subjects of these calls are theirs alone.
      if (!own.has(prefix + to))
        scene.nats.publish(prefix + to, data, reply === '' ? {} : { reply })
    }),
    { numRuns: 1_000 },
  )
  // To the right subject, with the id of another request, of one before, or of none.
  for (let i = 0; i < 40; i++)
    for (const requestId of [requestOf((i + 1) % 40).requestId, 'somebody else', ''])
      for (const messageType of [MESSAGE_TYPE.ok, MESSAGE_TYPE.error, MESSAGE_TYPE.earlyExit])
        node.reply(requestOf(i), { requestId, messageType, value: Buffer.from('wrong') })
  await settle(scene)
  expect(scene.entrypoint.stats()).toMatchObject({ inFlight: 40, answered: 0, errored: 0 })
  expect(scene.entrypoint.stats().lateReplies).toBeGreaterThan(40 * 9)

  for (let i = 0; i < 40; i++) node.reply(requestOf(i), { value: Buffer.from(`answer ${i}`) })
  const answers = (await Promise.all(responses)).map(({ payload }) => payload.toString())
  expect(answers).toEqual(Array.from({ length: 40 }, (_, i) => `answer ${i}`))

  const { lateReplies } = scene.entrypoint.stats()
  for (let i = 0; i < 40; i++) node.reply(requestOf(i), { value: Buffer.from('once more') })
  await waitUntil('counted', () => scene.entrypoint.stats().lateReplies === lateReplies + 40)
  expect(scene.entrypoint.stats()).toMatchObject({ inFlight: 0, answered: 40, bytes: 0 })
})

test('what cannot be read fails the one call it was sent to', async () => {
  await using scene = await openScene(nats)
  const { node, responses, requestOf } = await open(scene, 4)
  scene.nats.publish(requestOf(0).replyTo, Buffer.from('no envelope at all'))
  scene.nats.publish(requestOf(1).replyTo, new Uint8Array(0))
  scene.nats.publish(requestOf(2).replyTo, Buffer.from('1f8b0800', 'hex'))
  node.reply(requestOf(3), { value: Buffer.from('fine') })
  const [malformed, empty, notGzip, fine] = await Promise.all(
    // An empty message names no request: it is nobody's, and its call goes on.
    [responses[0], Promise.resolve(null), responses[2], responses[3]],
  )
  expect(empty).toBeNull()
  expect(malformed).toMatchObject({ status: 13 })
  expect(malformed?.message).toContain("can't be read")
  expect(notGzip).toMatchObject({ status: 13 })
  expect(fine).toMatchObject({ status: 0 })
  expect(scene.entrypoint.stats()).toMatchObject({ inFlight: 1, errored: 2, answered: 1 })
  node.reply(requestOf(1), { value: Buffer.from('late, but mine') })
  expect((await responses[1])?.payload.toString()).toBe('late, but mine')
})

test('nonsense about nodes is no news', async () => {
  await using scene = await openScene(nats)
  const node = scene.startNode()
  expect((await scene.client.call(GREET, frame('before'))).status).toBe(0)
  const ref = { runtimeId: RUNTIME, version: scene.version }
  const nonsense = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record({
        role: fc.constantFrom('node', 'entrypoint', '__proto__'),
        workflow: fc.constantFrom('greet', 'nobody', '__proto__'),
        node: fc.constantFrom('greeter', '__proto__', ''),
        replica: fc.integer(),
        interrupted: fc.array(fc.string(), { maxLength: 3 }),
        state: fc.string(),
        incarnation: fc.string(),
        pid: fc.integer(),
      })
      .map((fields) => Buffer.from(JSON.stringify({ ...fields, ...ref, reason: 'x' }))),
  )
  fc.assert(
    fc.property(fc.constantFrom('announce', 'gone', 'ping'), nonsense, (verb, data) => {
      scene.nats.publish(controlSubject(ref, verb as 'gone'), data)
    }),
    { numRuns: 300 },
  )
  await scene.nats.flush()
  expect((await scene.client.call(GREET, frame('after'))).payload.toString()).toBe('after')
  expect(node.requests).toHaveLength(2)
})

describe('a stream', () => {
  const methods = demoInterface('').methods.map((method) => ({
    ...method,
    serverStreaming: method.path !== OTHER,
  }))

  test('takes its own frames alone, and none after its end', async () => {
    await using scene = await openScene(nats, { served: { methods } })
    const { node, responses, requestOf } = await open(scene, 2)
    const [mine, other] = [requestOf(0), requestOf(1)]
    const wrong = openSender(scene, { ...mine, requestId: other.requestId })
    const right = openSender(scene, mine)
    wrong.send('not yours')
    right.send('one')
    wrong.end()
    // A sending that never was.
    const never = openSender(scene, { ...mine, replyTo: `${mine.replyTo.slice(0, -1)}7` })
    never.send('of another attempt')
    right.send('two')
    right.end()
    const { body, status } = await (responses[0] as NonNullable<(typeof responses)[0]>)
    expect(status).toBe(0)
    expect(body).toEqual(Buffer.concat([frame('one'), frame('two')]))
    right.send('after the end')
    await waitUntil('the sender is stopped', () => right.stops.length > 0 && never.stops.length > 0)
    expect(scene.entrypoint.stats()).toMatchObject({ answered: 1, errored: 0, inFlight: 1 })
    openSender(scene, other).end()
    await responses[1]
    expect(node.cancelled).toEqual([])
    await waitUntil('nothing held', () => scene.entrypoint.stats().bytes === 0)
  })

  test('of frames in any order is complete, or fails', async () => {
    await using scene = await openScene(nats, { served: { methods } })
    const node = scene.startNode({ handler: () => null })
    const moves = fc.array(
      fc.record({
        sequence: fc.nat({ max: 4 }),
        messageType: fc.constantFrom(MESSAGE_TYPE.frame, MESSAGE_TYPE.frame, MESSAGE_TYPE.end),
      }),
      { maxLength: 8 },
    )
    await fc.assert(
      fc.asyncProperty(moves, async (all) => {
        const before = node.requests.length
        const stream = scene.client.open(GREET)
        stream.end(frame('go'))
        const response = readResponse(stream)
        await waitUntil('with the node', () => node.requests.length > before)
        const sender = openSender(scene, node.requests.at(-1) as Envelope)
        for (const { sequence, messageType } of all)
          sender.send(`${sequence}`, { sequence, messageType })
        // In any case there is an end.
        for (let frames = 0; frames < 5; frames++) sender.end(frames)
        const { status, body } = await response
        const expected = expectedOf(all)
        if (status === 0) expect(body).toEqual(Buffer.concat(expected.map((n) => frame(`${n}`))))
        else expect(body.equals(Buffer.concat(expected.map((n) => frame(`${n}`))))).toBe(true)
      }),
      { numRuns: 60, interruptAfterTimeLimit: 5_000 },
    )
    await waitUntil('nothing held', () => {
      const { inFlight, bytes } = scene.entrypoint.stats()
      return inFlight === 0 && bytes === 0
    })
  })
})

/** Numbers that a caller sees: 1, 2, 3 … until one is missing, or an end comes. */
function expectedOf(all: readonly { sequence: number; messageType: number }[]): number[] {
  const seen: number[] = []
  for (const { sequence, messageType } of all) {
    if (messageType === MESSAGE_TYPE.end || sequence > seen.length + 1) return seen
    if (sequence === seen.length + 1) seen.push(sequence)
  }
  return seen
}
