/** Several nodes in one process, as others see it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  fusedWorkPath,
  IN_FLIGHT_FILE,
  nodeSubject,
  parseInFlight,
  type NodeLaunch,
  type NodeMember,
} from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { memberOf, openTestBench, textOf, WORKFLOW, type TestBench } from './testing/start-node.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

/** What is read when a file is loaded is the node's own, and so is what it keeps. */
const MARK = `
  const id = process.env.KRT_NODE_ID
  let calls = 0
  export const defaultHandler = async (ctx, data) => {
    const { text } = ctx.unpack(data)
    if (text.startsWith('loop at ' + id)) for (;;);
    if (text.startsWith('throw at ' + id)) throw new Error('boom')
    if (text === 'slow') await new Promise((resolve) => setTimeout(resolve, 300))
    await ctx.sendOutput({ $typeName: 'test.Text', text: text + '+' + id + ++calls })
  }`
const CHAIN = { isExitpoint: false, outputs: [null], localOutputs: [null] }
const from = (node: string) => ({
  subscriptions: [{ from: node, channel: null, durability: 'fast' as const }],
})

/** `one` feeds `two`, which feeds `three`, all from one file in one process. */
async function startChain(bench: TestBench, first: Partial<NodeLaunch> = {}, source = MARK) {
  const fused: NodeMember[] = [
    { ...memberOf('two'), ...CHAIN, ...from('one'), src: 'one.ts' },
    { ...memberOf('three'), ...from('two'), src: 'one.ts' },
  ]
  const node = bench.start('one', source, { ...CHAIN, fused, ...first })
  await waitUntil('all three are ready', () => node.announcements.length >= 3)
  return node
}

test('messages between nodes of one process do not leave it', async () => {
  await using bench = await openTestBench(await nats.connect(), nats.access)
  const node = await startChain(bench)
  const heard: string[] = []
  for (const id of ['one', 'two'])
    bench.connection.subscribe(nodeSubject({ ...WORKFLOW, node: id }), {
      callback: () => void heard.push(id),
    })
  const answer = await bench.ask('a')
  expect(textOf(answer)).toBe('a+one1+two1+three1')
  expect(answer).toMatchObject({ fromNode: 'three', hop: 3 })
  await bench.connection.flush()
  expect(heard).toEqual([])
  expect(new Set(node.announcements.map((each) => each.node))).toEqual(
    new Set(['one', 'two', 'three']),
  )
  expect(new Set(node.announcements.map((each) => `${each.pid}/${each.incarnation}`)).size).toBe(1)
})

test('an output that others listen to as well reaches both', async () => {
  await using bench = await openTestBench(await nats.connect(), nats.access)
  await bench.node('other', MARK, { ...from('one'), isExitpoint: false, outputs: [] })
  const seen: string[] = []
  bench.connection.subscribe(nodeSubject({ ...WORKFLOW, node: 'one' }), {
    callback: () => void seen.push('one'),
  })
  await startChain(bench, { localOutputs: [] })
  expect(textOf(await bench.ask('a'))).toBe('a+one1+two1+three1')
  await waitUntil('the other one hears it', () => seen.length === 1)
})

test('a payload of any size is handed over as it is, without a bucket for large ones', async () => {
  await using bench = await openTestBench(await nats.connect(), nats.access)
  const grow = `
    import { randomBytes } from 'node:crypto'
    const id = process.env.KRT_NODE_ID
    export const defaultHandler = async (ctx, data) => {
      const text = id === 'one' ? randomBytes(3_000_000).toString('base64') : ctx.unpack(data).text
      await ctx.sendOutput({ $typeName: 'test.Text', text: id === 'three' ? String(text.length) : text })
    }`
  await startChain(bench, {}, grow)
  expect(textOf(await bench.ask('a'))).toBe('4000000')
})

test('failures and blocked threads are the doing of the right node', async () => {
  await using bench = await openTestBench(await nats.connect(), nats.access)
  const { launch } = await startChain(bench)
  expect((await bench.ask('throw at two')).error).toContain("Error in node 'two'")
  void bench.ask('loop at two', { requestId: 'looping' })
  const callsOf = (workPath: string) =>
    parseInFlight(readFileSync(join(workPath, IN_FLIGHT_FILE), 'latin1'))
  await waitUntil('the loop shows', () => callsOf(fusedWorkPath(launch.workPath, 0)).length === 1)
  expect(callsOf(fusedWorkPath(launch.workPath, 0))[0]?.requestId).toBe('looping')
  expect(callsOf(launch.workPath)).toEqual([])
})

test('a stop finishes what is between the nodes', async () => {
  await using bench = await openTestBench(await nats.connect(), nats.access)
  const node = await startChain(bench)
  const answer = bench.ask('slow')
  await waitUntil(
    'it has begun',
    () => readFileSync(join(node.launch.workPath, IN_FLIGHT_FILE), 'latin1').trim() !== '',
  )
  node.child.kill('SIGTERM')
  expect(textOf(await answer)).toContain('+three1')
  expect(await node.exited).toEqual({ code: 0, signal: null })
})
