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

/** Answers in 40 ms, with the number of its replica and how many it has handled. */
const SLOW = `
  let calls = 0
  export const defaultHandler = async (ctx, data) => {
    const { text } = ctx.unpack(data)
    calls++
    await new Promise((resolve) => setTimeout(resolve, text === 'fast' ? 0 : 40))
    await ctx.sendOutput({ $typeName: 'test.Text', text: process.pid + ':' + text + ':' + calls })
  }`
const replicaOf = (answer: Awaited<ReturnType<TestBench['ask']>>) => textOf(answer).split(':')[0]
const many = (count: number, ask: (i: number) => ReturnType<TestBench['ask']>) =>
  Promise.all(Array.from({ length: count }, (_, i) => ask(i)))

describe('replicas of a slow node', () => {
  test('share what waits, wherever the broker has sent it', async () => {
    await using bench = await openBench()
    const replicas = await Promise.all(
      [0, 1, 2].map((replica) =>
        bench.node('one', SLOW, { replica, workPath: `${bench.basePath}/work-${replica}` }),
      ),
    )
    const answers = await many(60, (i) => bench.ask(`m${i}`, { deadlineMs: 30_000 }))
    expect(answers.map(({ error }) => error)).toEqual(Array(60).fill(''))
    // Each message is handled once.
    expect(new Set(answers.map((answer) => textOf(answer).split(':')[1])).size).toBe(60)
    const shares = replicas.map(
      ({ pid }) => answers.filter((answer) => replicaOf(answer) === String(pid)).length,
    )
    // A random choice gives one of three 24 or more in a third of all runs, and then the others wait for it.
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(3)
  })

  test('one that comes later takes what waits at the first', async () => {
    await using bench = await openBench()
    const first = await bench.node('one', SLOW)
    const pending = many(80, (i) => bench.ask(`m${i}`, { deadlineMs: 30_000 }))
    const second = await bench.node('one', SLOW, {
      replica: 1,
      workPath: `${bench.basePath}/work-second`,
    })
    const answers = await pending
    const taken = answers.filter((answer) => replicaOf(answer) === String(second.pid)).length
    expect(taken).toBeGreaterThan(0)
    expect(taken).toBeLessThan(80)
    expect(first.child.exitCode).toBeNull()
  })

  test('one that is stopped hands nothing to nobody: what it has is answered', async () => {
    await using bench = await openBench()
    const [stopped] = await Promise.all(
      [0, 1].map((replica) =>
        bench.node('one', SLOW, { replica, workPath: `${bench.basePath}/work-${replica}` }),
      ),
    )
    const pending = many(30, (i) => bench.ask(`m${i}`, { deadlineMs: 30_000 }))
    await bench.connection.flush()
    stopped?.child.kill('SIGTERM')
    expect((await pending).map(({ error }) => error)).toEqual(Array(30).fill(''))
    expect((await stopped?.exited)?.code).toBe(0)
  })

  test('a message that is cancelled on its way is not handled', async () => {
    await using bench = await openBench()
    const nodes = await Promise.all(
      [0, 1].map((replica) =>
        bench.node('one', SLOW, { replica, workPath: `${bench.basePath}/work-${replica}` }),
      ),
    )
    const pending = many(10, (i) => bench.ask(`m${i}`, { deadlineMs: 30_000 }))
    const given = Array.from({ length: 20 }, (_, i) => `given-up-${i}`)
    for (const requestId of given) void bench.ask('given up', { requestId, deadlineMs: 30_000 })
    const requestIds = JSON.stringify({ requestIds: given })
    bench.connection.publish(controlSubject(WORKFLOW, 'cancel'), requestIds)
    await pending
    // 30 calls would have taken the two of them 600 ms; those that came before the news may have begun.
    const last = await many(2, () => bench.ask('fast'))
    const calls = nodes.map(({ pid }) => {
      const own = [...bench.answers, ...last].filter((one) => replicaOf(one) === String(pid))
      return Math.max(0, ...own.map((one) => Number(textOf(one).split(':')[2])))
    })
    expect((calls[0] ?? 0) + (calls[1] ?? 0)).toBeLessThan(20)
  })
})

describe('a node with too much to do', () => {
  test('refuses at once what would wait for longer than is allowed, and says when to come back', async () => {
    await using bench = await openBench()
    await bench.node('one', SLOW, { maxQueueAgeMs: 200 })
    // The node learns how long its calls take.
    await many(3, (i) => bench.ask(`first-${i}`))
    const answers = await many(40, (i) => bench.ask(`m${i}`, { deadlineMs: 30_000 }))
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
      await bench.ask(priority, { metadata: { 'x-krt-priority': priority }, deadlineMs: 30_000 })
      order.push(priority)
    }
    const running = ask('normal')
    await bench.connection.flush()
    const waiting = ['low', 'low', 'normal', 'normal', 'high', 'high'].map(ask)
    await Promise.all([running, ...waiting])
    expect(order).toEqual(['normal', 'high', 'high', 'normal', 'normal', 'low', 'low'])
  })

  test('answers the rest of a burst once it is over', async () => {
    await using bench = await openBench()
    await bench.node('one', SLOW, { maxQueueAgeMs: 100 })
    await many(30, (i) => bench.ask(`m${i}`))
    await waitUntil('taken again', async () => (await bench.ask('after')).error === '')
  })
})
