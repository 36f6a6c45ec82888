import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { controlSubject, GRPC_STATUS, RETRY_AFTER_METADATA } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { openTestBench, textOf, WORKFLOW, type TestBench } from '../testing/start-node.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const openBench = async () => openTestBench(await nats.connect(), nats.access)

/** Answers after 40 ms, or at once, or when it is cancelled, with its process and how many calls it has had. */
const SLOW = `
  let calls = 0
  export const defaultHandler = async (ctx, data) => {
    const { text } = ctx.unpack(data)
    calls++
    if (text === 'block') await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
    else if (text !== 'count') await new Promise((resolve) => setTimeout(resolve, 40))
    await ctx.sendOutput({ $typeName: 'test.Text', text: process.pid + ':' + text + ':' + calls })
  }`
const PATIENT = { deadlineMs: 60_000 }
const partsOf = (answer: Awaited<ReturnType<TestBench['ask']>>) => textOf(answer).split(':')
const many = (count: number, ask: (i: number) => ReturnType<TestBench['ask']>) =>
  Promise.all(Array.from({ length: count }, (_, i) => ask(i)))
const startReplica = (bench: TestBench, replica: number) =>
  bench.node('one', SLOW, { replica, workPath: `${bench.basePath}/work-${replica}` })
const cancel = (bench: TestBench, requestIds: string[]) =>
  bench.connection.publish(controlSubject(WORKFLOW, 'cancel'), JSON.stringify({ requestIds }))
/** Keeps the only free replica busy until the request is cancelled. */
async function block(bench: TestBench, requestId: string): Promise<void> {
  void bench.ask('block', { requestId, ...PATIENT })
  await bench.connection.flush()
}

describe('replicas of a slow node', () => {
  test('share what waits, wherever the broker has sent it', async () => {
    await using bench = await openBench()
    await startReplica(bench, 0)
    await block(bench, 'r-block')
    await Promise.all([startReplica(bench, 1), startReplica(bench, 2)])
    // The broker gives a third of them to the replica that never gets to them.
    const answers = await many(40, (i) => bench.ask(`m${i}`, PATIENT))
    expect(answers.map(({ error }) => error)).toEqual(Array(40).fill(''))
    // Each message is handled once.
    expect(new Set(answers.map((answer) => partsOf(answer)[1])).size).toBe(40)
    expect(new Set(answers.map((answer) => partsOf(answer)[0])).size).toBe(2)
    cancel(bench, ['r-block'])
  })

  test('one that comes later takes what waits at the first', async () => {
    await using bench = await openBench()
    await startReplica(bench, 0)
    await block(bench, 'r-block')
    const pending = many(10, (i) => bench.ask(`m${i}`, PATIENT))
    await bench.connection.flush()
    const second = await startReplica(bench, 1)
    const answers = await pending
    expect(answers.map((answer) => partsOf(answer)[0])).toEqual(Array(10).fill(String(second.pid)))
    cancel(bench, ['r-block'])
  })

  test('one that is stopped answers what it has', async () => {
    await using bench = await openBench()
    const [stopped] = await Promise.all([startReplica(bench, 0), startReplica(bench, 1)])
    const pending = many(30, (i) => bench.ask(`m${i}`, PATIENT))
    await bench.connection.flush()
    stopped?.child.kill('SIGTERM')
    expect((await pending).map(({ error }) => error)).toEqual(Array(30).fill(''))
    expect((await stopped?.exited)?.code).toBe(0)
  })

  test('what is cancelled while it waits is handled by none of them', async () => {
    await using bench = await openBench()
    await startReplica(bench, 0)
    await block(bench, 'r-block')
    const given = Array.from({ length: 10 }, (_, i) => `r-given-up-${i}`)
    for (const requestId of given) void bench.ask('given up', { requestId, ...PATIENT })
    cancel(bench, given)
    await bench.connection.flush()
    await startReplica(bench, 1)
    cancel(bench, ['r-block'])
    const counts = (await many(20, () => bench.ask('count', PATIENT))).map(partsOf)
    expect(counts).toHaveLength(20)
    // Of those and of the one that was in the way, but for what began before the news came.
    const totals = Map.groupBy(counts, ([pid]) => pid)
    const calls = [...totals.values()].map((own) => Math.max(...own.map((one) => Number(one[2]))))
    expect(calls.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(21)
  })
})

describe('a node with too much to do', () => {
  test('refuses at once what would wait for longer than is allowed, and says when to come back', async () => {
    await using bench = await openBench()
    await bench.node('one', SLOW, { maxQueueAgeMs: 200 })
    // The node learns how long its calls take.
    await many(3, (i) => bench.ask(`first-${i}`))
    const answers = await many(40, (i) => bench.ask(`m${i}`, PATIENT))
    const refused = answers.filter(({ error }) => error !== '')
    expect(refused.length).toBeGreaterThan(20)
    expect(refused.length).toBeLessThan(40)
    for (const answer of refused) {
      expect(answer.statusCode).toBe(GRPC_STATUS['resource-exhausted'])
      expect(answer.error).toMatch(/^node 'one' is overloaded: .*200 ms at most.* more replicas$/)
      expect(Number(answer.metadata[RETRY_AFTER_METADATA])).toBeGreaterThanOrEqual(100)
    }
  })

  test('serves requests of high priority first, and those of low priority last', async () => {
    await using bench = await openBench()
    await bench.node('one', SLOW)
    const order: string[] = []
    const ask = async (priority: string) => {
      await bench.ask(priority, { metadata: { 'x-krt-priority': priority }, ...PATIENT })
      order.push(priority)
    }
    await block(bench, 'r-block')
    const waiting = ['low', 'low', 'normal', 'normal', 'high', 'high'].map(ask)
    await bench.connection.flush()
    cancel(bench, ['r-block'])
    await Promise.all(waiting)
    expect(order).toEqual(['high', 'high', 'normal', 'normal', 'low', 'low'])
  })

  test('answers the rest of a burst once it is over', async () => {
    await using bench = await openBench()
    await bench.node('one', SLOW, { maxQueueAgeMs: 100 })
    await many(30, (i) => bench.ask(`m${i}`))
    await waitUntil('taken again', async () => (await bench.ask('after')).error === '')
  })
})
