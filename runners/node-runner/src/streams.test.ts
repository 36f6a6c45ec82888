import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  controlSubject,
  decodeEnvelope,
  emptyEnvelope,
  encodeEnvelope,
  ingressSubject,
  MESSAGE_TYPE,
  type Envelope,
  type NodeLaunch,
} from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { openTestBench, textBytes, textOf, WORKFLOW, type TestBench } from './testing/start-node.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const openBench = async () => openTestBench(await nats.connect(), nats.access)
const streaming: Partial<NodeLaunch> = { serverStreaming: true }
const inner: Partial<NodeLaunch> = { isExitpoint: false, outputs: [null], ...streaming }
const listensTo = (from: string): Partial<NodeLaunch> => ({
  subscriptions: [{ from, channel: null, durability: 'fast' }],
  ...streaming,
})

type Received = Envelope & { readonly creditSubject: string }
type Stream = {
  readonly requestId: string
  readonly received: Received[]
  /** What the handler was told through frames: their texts. */
  texts(): string[]
  ended(): Received | undefined
  /** Says that all frames up to this one were taken. */
  grant(upTo: number): void
  stop(text: string): void
  leave(): void
}

/** Sends a request for a stream, as an entrypoint does. */
function openStream(
  bench: TestBench,
  text: string,
  { grants = true, deadlineMs = 10_000 } = {},
): Stream {
  const { connection } = bench
  const requestId = randomUUID()
  const replyTo = `_R.rt.test.${requestId}`
  const received: Received[] = []
  const credit = (more: Partial<Envelope>) =>
    connection.publish(
      received.at(-1)?.creditSubject ?? '',
      encodeEnvelope({ ...emptyEnvelope(), requestId, ...more }),
    )
  const grant = (sequence: number) => credit({ messageType: MESSAGE_TYPE.credit, sequence })
  const subscription = connection.subscribe(replyTo, {
    callback: (_, message) => {
      const envelope = decodeEnvelope(message.data)
      received.push({ ...envelope, creditSubject: message.reply ?? '' })
      if (grants && envelope.messageType === MESSAGE_TYPE.frame) grant(envelope.sequence)
    },
  })
  const request: Envelope = {
    ...emptyEnvelope(),
    requestId,
    typeUrl: 'type.googleapis.com/test.Text',
    value: textBytes(text),
    fromNode: 'entrypoint',
    messageType: MESSAGE_TYPE.ok,
    deadlineUnixMs: Date.now() + deadlineMs,
    replyTo,
    attempt: 1,
  }
  connection.publish(ingressSubject(WORKFLOW), encodeEnvelope(request))
  return {
    requestId,
    received,
    texts: () =>
      received.filter(({ messageType }) => messageType === MESSAGE_TYPE.frame).map(textOf),
    ended: () =>
      received.find(
        ({ messageType }) => messageType === MESSAGE_TYPE.end || messageType === MESSAGE_TYPE.error,
      ),
    grant,
    stop: (error) => credit({ messageType: MESSAGE_TYPE.error, error }),
    leave: () => subscription.unsubscribe(),
  }
}

const COUNT = `
  export const defaultHandler = async (ctx, data) => {
    const count = Number(ctx.unpack(data).text)
    for (let i = 1; i <= count; i++) await ctx.sendOutput({ text: String(i) })
  }`

describe('a workflow whose rpc returns a stream', () => {
  test('sends every output of the exitpoint as a frame, numbered, and then the end', async () => {
    await using bench = await openBench()
    await bench.node('one', COUNT, streaming)
    const stream = openStream(bench, '100')
    await waitUntil('the end', () => stream.ended())
    expect(stream.texts()).toEqual(Array.from({ length: 100 }, (_, i) => String(i + 1)))
    expect(stream.received.map(({ sequence }) => sequence)).toEqual([
      ...Array.from({ length: 100 }, (_, i) => i + 1),
      100,
    ])
    expect(stream.ended()).toMatchObject({ messageType: MESSAGE_TYPE.end, fromNode: 'one' })
    expect(new Set(stream.received.map(({ creditSubject }) => creditSubject)).size).toBe(1)
  })

  test('takes ctx.stream.write in any node, before the output that goes on', async () => {
    await using bench = await openBench()
    await Promise.all([
      bench.node(
        'one',
        `export const defaultHandler = async (ctx, data) => {
          await ctx.stream.write({ text: 'thinking' })
          await ctx.stream.write({ $typeName: 'test.Text', text: 'still thinking' })
          await ctx.sendAny(data)
        }`,
        inner,
      ),
      bench.node(
        'two',
        `export const handler = async (ctx, data) => {
          await ctx.stream.write(data)
          return { text: 'done' }
        }`,
        listensTo('one'),
      ),
    ])
    const stream = openStream(bench, 'go')
    await waitUntil('the end', () => stream.ended())
    expect(stream.texts()).toEqual(['thinking', 'still thinking', 'go', 'done'])
    expect(stream.received.map(({ sequence }) => sequence)).toEqual([1, 2, 1, 2, 2])
  })

  test('may end without a frame, and with an early exit', async () => {
    await using bench = await openBench()
    await bench.node(
      'one',
      `export const handler = async (ctx, data) => {
        if (ctx.unpack(data).text === 'exit') {
          await ctx.sendEarlyExit({ text: 'bye' })
          await ctx.sendOutput({ text: 'never' })
        }
      }`,
      streaming,
    )
    const empty = openStream(bench, '')
    await waitUntil('the end', () => empty.ended())
    expect(empty.received).toHaveLength(1)
    const exit = openStream(bench, 'exit')
    await waitUntil('the exit', () => exit.received.length === 1)
    expect(exit.received[0]).toMatchObject({ messageType: MESSAGE_TYPE.earlyExit, sequence: 1 })
    const next = openStream(bench, '')
    await waitUntil('the next one ends', () => next.ended())
    expect(exit.received).toHaveLength(1)
  })

  test('ends with the error of a handler, which is not tried again once it has sent frames', async () => {
    await using bench = await openBench()
    await bench.node(
      'one',
      `import { RetryableError } from '@kre/sdk'
      export const defaultHandler = async (ctx, data) => {
        if (ctx.attempt === 1 || ctx.unpack(data).text === 'late') {
          if (ctx.unpack(data).text === 'late') await ctx.stream.write({ text: 'attempt ' + ctx.attempt })
          throw new RetryableError('boom')
        }
        await ctx.stream.write({ text: 'attempt ' + ctx.attempt })
      }`,
      { ...streaming, retries: { max: 3, backoffMs: 5 } },
    )
    const early = openStream(bench, 'early')
    await waitUntil('the end', () => early.ended())
    expect(early.texts()).toEqual(['attempt 2'])
    const late = openStream(bench, 'late')
    await waitUntil('the end', () => late.ended())
    expect(late.texts()).toEqual(['attempt 1'])
    expect(late.ended()?.error).toContain('boom')
  })

  test('refuses messages of another type, and ctx.stream.write where the rpc returns one answer', async () => {
    await using bench = await openBench()
    const write = `export const defaultHandler = async (ctx, data) => {
      await ctx.stream.write(ctx.unpack(data).text === 'wrong' ? { $typeName: 'google.protobuf.Struct' } : { text: 'x' })
    }`
    const node = await bench.node('one', write, streaming)
    const stream = openStream(bench, 'wrong')
    await waitUntil('the end', () => stream.ended())
    expect(stream.ended()?.error).toContain(
      `the rpc of workflow 'Workflow' returns a stream of "test.Text", and this is a "google.protobuf.Struct"`,
    )
    node.child.kill('SIGTERM')
    await node.exited
    await bench.node('unary', write)
    expect(textOf(await bench.ask('x'))).toContain('Declare it as "returns (stream test.Text)"')
  })
})

describe('frames for a caller that reads slowly', () => {
  test('wait for credit: 64 are on their way, then as many as were taken', async () => {
    await using bench = await openBench()
    await bench.node('one', COUNT, streaming)
    const stream = openStream(bench, '200', { grants: false })
    await waitUntil('the window is full', () => stream.received.length === 64)
    await bench.connection.flush()
    expect(stream.received).toHaveLength(64)
    stream.grant(10)
    await waitUntil('ten more', () => stream.received.length === 74)
    // Said again it changes nothing, and more than was sent is not believed.
    stream.grant(10)
    stream.grant(9)
    await bench.connection.flush()
    expect(stream.received).toHaveLength(74)
    stream.grant(1_000)
    await waitUntil('a new window', () => stream.received.length === 138)
    stream.grant(138)
    await waitUntil('the end', () => stream.ended())
    expect(stream.texts()).toHaveLength(200)
  })

  test('wait by their bytes, too', async () => {
    await using bench = await openBench()
    await bench.node(
      'one',
      `import { randomBytes } from 'node:crypto'
      export const defaultHandler = async (ctx) => {
        for (let i = 0; i < 8; i++) await ctx.stream.write({ text: randomBytes(225_000).toString('base64') })
      }`,
      streaming,
    )
    const stream = openStream(bench, '', { grants: false })
    await waitUntil('the window is full', () => stream.received.length === 4)
    await bench.connection.flush()
    expect(stream.received).toHaveLength(4)
    stream.grant(4)
    await waitUntil('the end', () => stream.ended())
    expect(stream.texts()).toHaveLength(8)
  })

  test('that were not awaited go out before the end, within a bound', async () => {
    await using bench = await openBench()
    await bench.node(
      'one',
      `export const defaultHandler = (ctx, data) => {
        const { text } = ctx.unpack(data)
        for (let i = 0; i < Number(text); i++) void ctx.stream.write({ text: 'x'.repeat(1_000) })
      }`,
      streaming,
    )
    const stream = openStream(bench, '500')
    await waitUntil('the end', () => stream.ended())
    expect(stream.texts()).toHaveLength(500)
    const greedy = openStream(bench, '100000', { grants: false })
    await waitUntil('the error', () => greedy.ended())
    expect(greedy.ended()?.error).toContain('await each ctx.stream.write')
  })
})

describe('a stream that nobody takes any more', () => {
  const ENDLESS = `
    export const defaultHandler = async (ctx, data) => {
      ctx.signal.addEventListener('abort', () => console.log('aborted: ' + ctx.signal.reason?.message))
      try {
        for (;;) await ctx.stream.write({ text: 'x' })
      } catch (error) {
        console.log('write rejected: ' + error.message)
        throw error
      }
    }`
  const next = async (bench: TestBench) => {
    const stream = openStream(bench, '', { grants: false })
    await waitUntil('the handler has a slot', () => stream.received.length > 0)
  }

  test('ends when the caller has gone: write rejects, the signal aborts, the slot is free', async () => {
    await using bench = await openBench()
    await bench.node('one', ENDLESS, streaming)
    const stream = openStream(bench, '', { grants: false })
    await waitUntil('the window is full', () => stream.received.length === 64)
    const cancellation = JSON.stringify({ requestIds: [stream.requestId] })
    bench.connection.publish(controlSubject(WORKFLOW, 'cancel'), cancellation)
    await next(bench)
    expect(stream.ended()).toBeUndefined()
  })

  test('ends when the entrypoint says so', async () => {
    await using bench = await openBench()
    await bench.node('one', ENDLESS, streaming)
    const stream = openStream(bench, '', { grants: false })
    await waitUntil('the window is full', () => stream.received.length === 64)
    stream.stop('enough')
    await next(bench)
  })

  test('ends when the entrypoint is gone', async () => {
    await using bench = await openBench()
    await bench.node('one', ENDLESS, streaming)
    const stream = openStream(bench, '', { grants: false })
    await waitUntil('the window is full', () => stream.received.length === 64)
    stream.leave()
    stream.grant(64)
    await next(bench)
  })

  test('ends at the deadline', async () => {
    await using bench = await openBench()
    await bench.node('one', ENDLESS, streaming)
    const stream = openStream(bench, '', { deadlineMs: 200 })
    await waitUntil('the end', () => stream.ended())
    expect(stream.ended()?.statusCode).toBe(4)
    await next(bench)
  })
})
