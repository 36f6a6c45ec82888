import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { controlSubject, type NodeLaunch } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { openTestBench, textOf, WORKFLOW, type TestBench } from '../testing/start-node.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const openBench = async () => openTestBench(await nats.connect(), nats.access)
const batched = (maxSize: number, maxDelayMs: number): Partial<NodeLaunch> => ({
  batch: { maxSize, maxDelayMs },
})
/** A delay that no test waits for. */
const LONG_MS = 500
const answersTo = async (bench: TestBench, ...texts: string[]) =>
  (await Promise.all(texts.map((text) => bench.ask(text)))).map(textOf)

/** Answers with the size of its batch, or as the message's text says. */
const SIZES = `
  export const batchHandler = async (contexts, messages) => {
    const texts = contexts.map((ctx, i) => ctx.unpack(messages[i]).text)
    if (texts.includes('throw')) throw new Error('all fail')
    if (texts.includes('short')) return []
    if (texts.includes('crash')) process.kill(process.pid, 'SIGKILL')
    if (texts.includes('wait')) await new Promise((resolve) => setTimeout(resolve, 200))
    return texts.map((text, i) => {
      contexts[i].logger.info(text)
      if (text === 'fail') return new Error('only this one')
      if (text === 'nothing') return undefined
      return { text: text + ' of ' + texts.length }
    })
  }`

describe('a node with batches', () => {
  test('a full batch is handled at once', async () => {
    await using bench = await openBench()
    await bench.node('one', SIZES, batched(2, LONG_MS))
    expect(await answersTo(bench, 'a', 'b')).toEqual(['a of 2', 'b of 2'])
  })

  test('one that does not fill is handled after the delay', async () => {
    await using bench = await openBench()
    await bench.node('one', SIZES, batched(8, 20))
    expect(await answersTo(bench, 'a', 'b', 'c')).toEqual(['a of 3', 'b of 3', 'c of 3'])
  })

  test('without a delay, what came while the handler was busy is the next batch', async () => {
    await using bench = await openBench()
    await bench.node('one', SIZES, batched(8, 0))
    const first = bench.ask('wait')
    await bench.connection.flush()
    await waitUntil('the handler runs', async () => (await bench.ask('wait')) !== null)
    expect(textOf(await first)).toMatch(/^wait of /)
    const busy = bench.ask('wait')
    await bench.connection.flush()
    const rest = await answersTo(bench, 'a', 'b', 'c')
    expect(textOf(await busy)).toMatch(/^wait of /)
    expect(new Set(rest.map((text) => text.slice(2))).size).toBeLessThan(3)
  })

  test('each message succeeds or fails by itself', async () => {
    await using bench = await openBench()
    await bench.node('one', SIZES, batched(3, LONG_MS))
    expect(await answersTo(bench, 'a', 'fail', 'nothing')).toEqual([
      'a of 3',
      "Error in node 'one' executing handler for node 'entrypoint': only this one",
      expect.stringContaining('the handler returned nothing, so the caller would wait in vain'),
    ])
  })

  test('what the handler throws fails all, and so does a list of another length', async () => {
    await using bench = await openBench()
    await bench.node('one', SIZES, batched(2, LONG_MS))
    const thrown = await answersTo(bench, 'a', 'throw')
    expect(thrown).toEqual(Array(2).fill(expect.stringContaining(': all fail')))
    const short = await answersTo(bench, 'a', 'short')
    const text = expect.stringContaining('returned 0 results for 2 messages: return a list')
    expect(short).toEqual([text, text])
  })

  test('messages whose time is over, or whose caller has gone, leave the batch', async () => {
    await using bench = await openBench()
    await bench.node('one', SIZES, batched(8, LONG_MS))
    void bench.ask('cancelled', { requestId: 'r-cancelled' })
    await bench.connection.flush()
    bench.connection.publish(
      controlSubject(WORKFLOW, 'cancel'),
      JSON.stringify({ requestIds: ['r-cancelled'] }),
    )
    expect(await answersTo(bench, 'a')).toEqual(['a of 1'])
  })

  test('a drain handles what waits for others', async () => {
    await using bench = await openBench()
    const node = await bench.node('one', SIZES, batched(8, LONG_MS))
    const answer = bench.ask('last', { deadlineMs: 60_000 })
    await bench.connection.flush()
    node.child.kill('SIGTERM')
    expect(textOf(await answer)).toBe('last of 1')
    expect(await node.exited).toEqual({ code: 0, signal: null })
  })

  test('a linear handler of lists returns its outputs', async () => {
    await using bench = await openBench()
    const source = `export function handler(contexts, messages) {
      return messages.map((data, i) => ({ text: contexts[i].unpack(data).text + '/' + messages.length }))
    }`
    await bench.node('one', source, batched(2, LONG_MS))
    expect(await answersTo(bench, 'a', 'b')).toEqual(['a/2', 'b/2'])
  })

  test('a batch handler sends by its contexts', async () => {
    await using bench = await openBench()
    const source = `export async function batchHandler(contexts, messages) {
      for (const [i, ctx] of contexts.entries()) {
        if (ctx.unpack(messages[i]).text === 'error') await ctx.sendError('not this one')
        else await ctx.sendAny(messages[i])
      }
    }`
    await bench.node('one', source, batched(3, LONG_MS))
    expect(await answersTo(bench, 'a', 'error', 'c')).toEqual(['a', 'not this one', 'c'])
  })

  test('more batches than one run at once where the node has concurrency', async () => {
    await using bench = await openBench()
    await bench.node('one', SIZES, { ...batched(2, LONG_MS), concurrency: 2 })
    const sizes = await answersTo(bench, 'wait', 'wait', 'a', 'b')
    expect(sizes).toEqual(['wait of 2', 'wait of 2', 'a of 2', 'b of 2'])
  })

  test('a file without a handler of lists ends the node with what to do', async () => {
    await using bench = await openBench()
    const source = 'export function defaultHandler() {}'
    const node = await bench.node('one', source, batched(2, 0))
    expect(await node.exited).toEqual({ code: 78, signal: null })
    expect(node.stderr()).toContain('export batchHandler(contexts, messages), or remove batch')
  })

  test('requests that are sent again after a death are handled one by one', async () => {
    await using bench = await openBench()
    const node = await bench.node('one', SIZES, batched(2, LONG_MS))
    void bench.ask('a', { requestId: 'r-a' })
    void bench.ask('crash', { requestId: 'r-crash' })
    await node.exited
    const next = await bench.node('one', SIZES, batched(2, LONG_MS))
    expect(new Set(next.announcements[0]?.interrupted)).toEqual(new Set(['r-a', 'r-crash']))
    expect(textOf(await bench.ask('a', { requestId: 'r-a', attempt: 2 }))).toBe('a of 1')
  })
})
