import { randomBytes, randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  type Claim,
  controlSubject,
  decodeEnvelope,
  emptyEnvelope,
  encodeEnvelope,
  ENCODING,
  type Envelope,
  GRPC_STATUS,
  ingressSubject,
  KiB,
  MESSAGE_TYPE,
  MiB,
  type NodeLaunch,
  nodeSubject,
} from '@kre/contracts'
import {
  type ClaimStore,
  type CoreConnection,
  createClaimStore,
  decompress,
  openCoreConnection,
} from '@kre/core-nats'
import { createClaimBucket } from '@kre/core-nats/testing'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { openTestBench, textBytes, textOf, WORKFLOW, type TestBench } from './testing/start-node.ts'

const LIMIT = 16 * MiB
let nats: TestNats
let connection: CoreConnection
/** As an entrypoint has it. */
let claims: ClaimStore
beforeAll(async () => {
  nats = await startNats()
  connection = openCoreConnection(nats.access, 'an entrypoint')
  await connection.whenUp()
  await createClaimBucket(connection, WORKFLOW)
  claims = createClaimStore(WORKFLOW.runtimeId, {
    publish: (subject, data, reply) => connection.publish(subject, data, reply),
    subscribe: (subject, onMessage) => void connection.subscribe(subject, { onMessage }),
    maxPayload: () => connection.maxPayload(),
  })
})
afterAll(async () => {
  connection.close()
  await nats[Symbol.asyncDispose]()
})

const openBench = async () => openTestBench(await nats.connect(), nats.access)
const listensTo = (from: string): Partial<NodeLaunch> => ({
  subscriptions: [{ from, channel: null, durability: 'fast' }],
})
const inner: Partial<NodeLaunch> = { isExitpoint: false, outputs: [null] }

const keep = (value: Uint8Array, replyTo: string) =>
  claims.write(value, { version: WORKFLOW.version, replyTo }, Date.now() + 60_000)

/** Of the claims that `ask` made. */
const keptKeys: string[] = []

/** Sends a request as an entrypoint does, and brings its answer. */
async function ask(value: Uint8Array, more: Partial<Envelope> = {}): Promise<Envelope> {
  const requestId = randomUUID()
  const replyTo = `_R.rt.test.${requestId}`
  const { promise, resolve } = Promise.withResolvers<Envelope>()
  const subscription = connection.subscribe(replyTo, {
    onMessage: ({ data }) => resolve(decodeEnvelope(data)),
  })
  const isLarge = value.length > MiB - 32 * KiB
  const claim = isLarge ? await keep(value, replyTo) : null
  if (claim !== null) keptKeys.push(claim.key)
  const request: Envelope = {
    ...emptyEnvelope(),
    requestId,
    typeUrl: 'type.googleapis.com/test.Text',
    value: isLarge ? new Uint8Array(0) : value,
    claim,
    fromNode: 'entrypoint',
    messageType: MESSAGE_TYPE.ok,
    deadlineUnixMs: Date.now() + 10_000,
    replyTo,
    attempt: 1,
    ...more,
  }
  connection.publish(ingressSubject(WORKFLOW), encodeEnvelope(request))
  const answer = await promise
  subscription.unsubscribe()
  return answer
}
async function valueOf({ value, claim, encoding }: Envelope): Promise<Uint8Array> {
  const whole = claim === null ? value : await claims.read(claim, LIMIT)
  return encoding === ENCODING.gzip ? decompress(whole, LIMIT) : whole
}
/** Envelopes that a node sends on. */
function listen(bench: TestBench, node: string): Envelope[] {
  const sent: Envelope[] = []
  bench.connection.subscribe(nodeSubject({ ...WORKFLOW, node }), {
    callback: (_, message) => void sent.push(decodeEnvelope(message.data)),
  })
  return sent
}
/** A test.Text that is not worth compressing. */
const noise = (bytes: number) => textBytes(randomBytes((bytes / 4) * 3).toString('base64'))

describe('a payload that is too large for a message', () => {
  test('goes through three nodes, and is not kept again where it is only forwarded', async () => {
    await using bench = await openBench()
    const sent = listen(bench, 'one')
    const mark = `export const defaultHandler = async (ctx, data) => {
      await ctx.sendOutput({ $typeName: 'test.Text', text: ctx.unpack(data).text + '!' })
    }`
    await Promise.all([
      bench.node('one', `export const defaultHandler = (ctx, data) => ctx.sendAny(data)`, inner),
      bench.node('two', mark, { ...inner, ...listensTo('one') }),
      bench.node('three', mark, listensTo('two')),
    ])
    const value = noise(5 * MiB)
    const answer = await ask(value)
    expect(answer).toMatchObject({ hasClaims: true, fromNode: 'three', error: '' })
    const text = textOf({ ...answer, value: await valueOf(answer) })
    expect(text).toHaveLength(textOf({ ...emptyEnvelope(), value }).length + 2)
    expect(text.endsWith('!!')).toBe(true)
    expect(sent[0]?.claim?.key).toBe(keptKeys.at(-1))
  })

  test('is not kept again by a handler that encodes what it has decoded', async () => {
    await using bench = await openBench()
    const again = `export const defaultHandler = (ctx, data) => ctx.sendOutput(ctx.unpack(data))`
    await bench.node('one', again)
    const value = noise(2 * MiB)
    expect((await ask(value)).claim?.key).toBe(keptKeys.at(-1))
  })

  test.each([
    [
      'gone',
      (claim: Claim) => ({ ...claim, key: `${claim.key}x` }),
      'is gone',
      GRPC_STATUS.aborted,
    ],
    [
      'damaged',
      (claim: Claim) => ({ ...claim, sha256: '00' }),
      'its digest differs',
      GRPC_STATUS.aborted,
    ],
    [
      'above the limit',
      (claim: Claim) => ({ ...claim, size: LIMIT + 1 }),
      `the limit is ${LIMIT}`,
      GRPC_STATUS['resource-exhausted'],
    ],
    [
      'of another runtime',
      (claim: Claim) => ({ ...claim, bucket: 'CLAIMS_other' }),
      'is none of bucket',
      GRPC_STATUS['invalid-argument'],
    ],
  ])('and is %s fails the request, and the next one works', async (_, change, text, statusCode) => {
    await using bench = await openBench()
    await bench.node(
      'one',
      `export const defaultHandler = (ctx, data) => ctx.sendOutput({ text: String(data.value.length) })`,
      { payloadBytesMax: LIMIT },
    )
    const claim = await keep(noise(2 * MiB), '_R.rt.test.x')
    const failed = await ask(new Uint8Array(0), { claim: change(claim) })
    expect(failed).toMatchObject({ messageType: MESSAGE_TYPE.error, statusCode })
    expect(failed.error).toContain(text)
    expect(textOf(await ask(new Uint8Array(0), { claim }))).toBe(String(claim.size))
  })

  test('and is not awaited is sent all the same, in order, before the call ends', async () => {
    await using bench = await openBench()
    const sent = listen(bench, 'one')
    await bench.node(
      'one',
      `import { randomBytes } from 'node:crypto'
      export const defaultHandler = (ctx) => {
        ctx.sendOutput({ $typeName: 'test.Text', text: randomBytes(1_500_000).toString('base64') })
        ctx.sendOutput({ $typeName: 'test.Text', text: 'second' })
      }`,
      inner,
    )
    void ask(textBytes(''))
    await waitUntil('both are there', () => sent.length === 2)
    expect(sent.map(({ claim, value }) => claim?.size ?? value.length)).toEqual([2_000_004, 8])
  })

  test('fails its call when the bucket does not take it, awaited or not, and not the node', async () => {
    await using bench = await openBench()
    const runtime = { ...WORKFLOW, runtimeId: 'without-bucket' }
    let isReady = false
    bench.connection.subscribe(controlSubject(runtime, 'announce'), {
      callback: () => void (isReady = true),
    })
    await bench.connection.flush()
    bench.start(
      'one',
      `import { randomBytes } from 'node:crypto'
      export const defaultHandler = async (ctx, data) => {
        const { text } = ctx.unpack(data)
        if (text === 'small') return ctx.sendOutput({ text })
        const sent = ctx.sendOutput({ text: randomBytes(1_500_000).toString('base64') })
        if (text === 'awaited') await sent
      }`,
      { runtimeId: 'without-bucket' },
    )
    await waitUntil('the node listens', () => isReady)
    for (const text of ['awaited', 'left', 'small']) {
      const { promise, resolve } = Promise.withResolvers<Envelope>()
      const replyTo = `_R.rt.test.${randomUUID()}`
      connection.subscribe(replyTo, { onMessage: ({ data }) => resolve(decodeEnvelope(data)) })
      const request: Envelope = {
        ...emptyEnvelope(),
        requestId: randomUUID(),
        typeUrl: 'type.googleapis.com/test.Text',
        value: textBytes(text),
        fromNode: 'entrypoint',
        messageType: MESSAGE_TYPE.ok,
        replyTo,
        attempt: 1,
      }
      connection.publish(ingressSubject(runtime), encodeEnvelope(request))
      const answer = await promise
      if (text === 'small') expect(textOf(answer)).toBe('small')
      else expect(answer.error).toContain('it has no such bucket')
    }
  })

  test('is refused above the limit of the runtime with its size', async () => {
    await using bench = await openBench()
    await bench.node(
      'one',
      `export const defaultHandler = (ctx) => ctx.sendOutput({ text: 'x'.repeat(200_000) })`,
      { payloadBytesMax: 100_000 },
    )
    const answer = await ask(textBytes(''))
    expect(answer.statusCode).toBe(GRPC_STATUS['resource-exhausted'])
    expect(answer.error).toContain(
      "the output has 200004 bytes and the runtime's payload limit is 100000",
    )
  })
})

describe('payloads above what the server carries at once', () => {
  test('are compressed when that gains something, and forwarded as they came', async () => {
    await using bench = await openBench()
    const sent = listen(bench, 'one')
    await Promise.all([
      bench.node(
        'one',
        `export const defaultHandler = (ctx, data) =>
          ctx.sendOutput({ $typeName: 'test.Text', text: ctx.unpack(data).text + '!' })`,
        inner,
      ),
      bench.node(
        'two',
        `export const defaultHandler = (ctx, data) => ctx.sendAny(data)`,
        listensTo('one'),
      ),
    ])
    const plain = noise(60 * KiB)
    const text = textBytes('some words '.repeat(200_000))
    const random = noise(200 * KiB)
    for (const value of [plain, text, random]) {
      const answer = await ask(value)
      const came = textOf({ ...answer, value: await valueOf(answer) })
      expect(came === `${textOf({ ...emptyEnvelope(), value })}!`).toBe(true)
    }
    await waitUntil('all are heard', () => sent.length === 3)
    expect(sent.map(({ encoding }) => encoding)).toEqual([
      ENCODING.none,
      ENCODING.gzip,
      ENCODING.none,
    ])
    expect(sent[1]?.value.length).toBeLessThan(text.length / 10)
  })

  test('that inflate beyond the limit are refused', async () => {
    await using bench = await openBench()
    await bench.node('one', `export const defaultHandler = (ctx, data) => ctx.sendAny(data)`, {
      payloadBytesMax: 100_000,
    })
    const answer = await ask(gzipSync(Buffer.alloc(100_001)), { encoding: ENCODING.gzip })
    expect(answer.statusCode).toBe(GRPC_STATUS['resource-exhausted'])
  })
})
