import { createHash, randomBytes } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  type Claim,
  ENCODING,
  type Envelope,
  GRPC_STATUS,
  MESSAGE_TYPE,
  MiB,
  SECOND_MS,
} from '@kre/contracts'
import {
  type ClaimStore,
  type CoreConnection,
  createClaimStore,
  openCoreConnection,
} from '@kre/core-nats'
import { countClaimChunks, createClaimBucket } from '@kre/core-nats/testing'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { demoInterface, GREET, RUNTIME } from './testing/demo-version.ts'
import { frame, readResponse } from './testing/raw-client.ts'
import { openScene } from './testing/scene.ts'

const LIMIT = 8 * MiB
let nats: TestNats
let connection: CoreConnection
/** As a node has it. */
let claims: ClaimStore
/** Of the scene that was opened last. */
let version = ''
beforeAll(async () => {
  nats = await startNats()
  connection = openCoreConnection(nats.access, 'a node')
  await connection.whenUp()
  claims = createClaimStore(RUNTIME, {
    publish: (subject, data, reply) => connection.publish(subject, data, reply),
    subscribe: (subject, onMessage) => void connection.subscribe(subject, { onMessage }),
    maxPayload: () => connection.maxPayload(),
  })
})
afterAll(async () => {
  connection.close()
  await nats[Symbol.asyncDispose]()
})

const chain = {
  workflows: demoInterface('').workflows.map((workflow) => ({ ...workflow, isChain: true })),
}
const open = async (served: Partial<ReturnType<typeof demoInterface>> = chain) => {
  const scene = await openScene(nats, { served, launch: { payloadBytesMax: LIMIT } })
  version = scene.version
  await createClaimBucket(connection, { runtimeId: RUNTIME, version })
  return scene
}
const chunks = () => countClaimChunks(connection, { runtimeId: RUNTIME, version })
const isEmpty = async () => (await chunks()) === 0
const keep = ({ replyTo }: Envelope, value: Uint8Array) =>
  claims.write(value, { version, replyTo }, Date.now() + 60 * SECOND_MS)

describe('a request that is too large for a message', () => {
  test('travels as a claim, comes back as one, and leaves nothing', async () => {
    await using scene = await open()
    const node = scene.startNode({ handler: () => null })
    const sent = randomBytes(5 * MiB)
    const answer = scene.client.call(GREET, frame(sent))
    await waitUntil('the request is there', () => node.requests.length === 1)
    const request = node.requests[0] as Envelope
    expect(request).toMatchObject({ hasClaims: true, encoding: ENCODING.none })
    expect(request.value).toHaveLength(0)
    expect(request.claim?.sha256).toBe(createHash('sha256').update(sent).digest('hex'))
    expect(request.claim?.expiresUnixMs).toBeGreaterThan(request.deadlineUnixMs)
    const came = await claims.read(request.claim as Claim, LIMIT)
    node.reply(request, { claim: await keep(request, came) })
    const { status, payload } = await answer
    expect(status).toBe(0)
    expect(payload.equals(sent)).toBe(true)
    await waitUntil('nothing is left', isEmpty)
    expect(scene.entrypoint.stats()).toMatchObject({ inFlight: 0, bytes: 0 })
  })

  test('is refused above the limit, and so is an answer', async () => {
    await using scene = await open()
    const node = scene.startNode({ handler: () => null })
    const tooLarge = await scene.client.call(GREET, frame(Buffer.alloc(LIMIT + 1)))
    expect(tooLarge.status).toBe(GRPC_STATUS['invalid-argument'])
    const answer = scene.client.call(GREET, frame('x'))
    await waitUntil('the request is there', () => node.requests.length === 1)
    const request = node.requests[0] as Envelope
    node.reply(request, { claim: await keep(request, randomBytes(LIMIT + 1)) })
    expect(await answer).toMatchObject({
      status: GRPC_STATUS['resource-exhausted'],
      message: expect.stringContaining(`answered with ${LIMIT + 1} bytes`),
    })
    await waitUntil('nothing is left', isEmpty)
  })

  test('that is cancelled, or not answered in time, leaves nothing', async () => {
    await using scene = await open()
    const node = scene.startNode({ handler: () => null })
    const late = await scene.client.call(GREET, frame(randomBytes(2 * MiB)), {
      'grpc-timeout': '300m',
    })
    expect(late.status).toBe(GRPC_STATUS['deadline-exceeded'])
    await waitUntil('nothing is left', isEmpty)
    const stream = scene.client.open(GREET)
    stream.end(frame(randomBytes(2 * MiB)))
    await waitUntil('the request is there', () => node.requests.length === 2)
    expect(await isEmpty()).toBe(false)
    stream.close(8)
    await waitUntil('nothing is left', isEmpty)
  })

  test('keeps what other branches may still read until the deadline', async () => {
    await using scene = await open({})
    const node = scene.startNode({ handler: () => null })
    const answer = scene.client.call(GREET, frame(randomBytes(2 * MiB)), { 'grpc-timeout': '800m' })
    await waitUntil('the request is there', () => node.requests.length === 1)
    const request = node.requests[0] as Envelope
    node.reply(request, { value: Buffer.from('done') })
    expect((await answer).status).toBe(0)
    expect(await isEmpty()).toBe(false)
    await waitUntil('nothing is left', isEmpty)
    expect(Date.now()).toBeGreaterThanOrEqual(request.deadlineUnixMs - 20)
  })

  test('leaves nothing where other branches were told to stop, long before the deadline', async () => {
    await using scene = await open({})
    const node = scene.startNode({ handler: () => null })
    const send = async () => {
      const before = node.requests.length
      const stream = scene.client.open(GREET, { 'grpc-timeout': '25S' })
      const response = readResponse(stream)
      stream.end(frame(randomBytes(2 * MiB)))
      await waitUntil('the request is there', () => node.requests.length > before)
      return { stream, response, request: node.requests[before] as Envelope }
    }
    const left = await send()
    left.stream.close(8)
    await waitUntil('nothing is left', isEmpty)
    const { request, response } = await send()
    node.reply(request, { value: Buffer.from('done'), messageType: MESSAGE_TYPE.earlyExit })
    expect((await response).status).toBe(0)
    await waitUntil('nothing is left', isEmpty)
    expect(Date.now()).toBeLessThan(request.deadlineUnixMs)
  })
})

describe('an answer by claim', () => {
  test('whose bytes are damaged or gone fails the request with what happened', async () => {
    await using scene = await open()
    const node = scene.startNode({ handler: () => null })
    const wrong: [string, (claim: Claim) => Claim][] = [
      ['its digest differs', (claim) => ({ ...claim, sha256: '0'.repeat(64) })],
      ['is gone', (claim) => ({ ...claim, key: `${claim.key}x` })],
      ['is none of bucket', (claim) => ({ ...claim, bucket: 'CLAIMS_other' })],
    ]
    for (const [index, [text, change]] of wrong.entries()) {
      const answer = scene.client.call(GREET, frame('x'))
      await waitUntil('the request is there', () => node.requests.length === index + 1)
      const request = node.requests[index] as Envelope
      node.reply(request, { claim: change(await keep(request, randomBytes(MiB))) })
      const { status, message } = await answer
      expect(message).toContain(text)
      expect([GRPC_STATUS.aborted, GRPC_STATUS.internal]).toContain(status)
    }
    await waitUntil('nothing is left', isEmpty)
  })

  test('keeps its place in a stream', async () => {
    await using scene = await open({
      ...chain,
      methods: demoInterface('').methods.map((method) => ({ ...method, serverStreaming: true })),
    })
    const node = scene.startNode({ handler: () => null })
    const response = scene.client.call(GREET, frame('x'))
    await waitUntil('the request is there', () => node.requests.length === 1)
    const request = node.requests[0] as Envelope
    const large = randomBytes(3 * MiB)
    const claim = await keep(request, large)
    const send = (sequence: number, more: Partial<Envelope>) =>
      node.reply(request, { messageType: MESSAGE_TYPE.frame, sequence, ...more })
    send(1, { value: Buffer.from('before') })
    send(2, { claim })
    send(3, { value: gzipSync('after'), encoding: ENCODING.gzip })
    send(3, { messageType: MESSAGE_TYPE.end })
    const { status, body } = await response
    expect(status).toBe(0)
    expect(body.equals(Buffer.concat([frame('before'), frame(large), frame('after')]))).toBe(true)
    await waitUntil('nothing is left', isEmpty)
  })
})

describe('payloads above what the server carries at once', () => {
  test('are compressed when a sample of them shrinks, and stay as they are otherwise', async () => {
    await using scene = await open()
    const node = scene.startNode({ handler: ({ value, encoding }) => ({ value, encoding }) })
    const text = Buffer.from('{"name":"value"}'.repeat(100_000))
    const noise = randomBytes(700_000)
    const small = Buffer.from('{"name":"value"}'.repeat(40_000))
    for (const value of [text, noise, small]) {
      const answer = await scene.client.call(GREET, frame(value))
      expect(answer.payload.equals(value)).toBe(true)
    }
    expect(node.requests.map(({ encoding }) => encoding)).toEqual([
      ENCODING.gzip,
      ENCODING.none,
      ENCODING.none,
    ])
    expect(gunzipSync(node.requests[0]?.value ?? '').equals(text)).toBe(true)
  })

  test('that inflate beyond the limit are refused', async () => {
    await using scene = await open()
    const bomb = gzipSync(Buffer.alloc(LIMIT + 1))
    scene.startNode({ handler: () => ({ value: bomb, encoding: ENCODING.gzip }) })
    const answer = await scene.client.call(GREET, frame('x'))
    expect(answer.status).toBe(GRPC_STATUS['resource-exhausted'])
  })
})
