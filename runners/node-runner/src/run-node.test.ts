import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { openTestBench, textOf } from './testing/start-node.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const openBench = async () => openTestBench(await nats.connect(), nats.access)
const listensTo = (from: string, channel: string | null = null) => ({
  subscriptions: [{ from, channel, durability: 'fast' as const }],
})
const MARK = `
  export const defaultHandler = async (ctx, data) => {
    const { text } = ctx.unpack(data)
    await ctx.sendOutput({ $typeName: 'test.Text', text: text + '+' + process.env.KRT_NODE_ID })
  }`

describe('a chain of TypeScript nodes', () => {
  test('answers with the marks of all nodes', async () => {
    await using bench = await openBench()
    await Promise.all([
      bench.node('one', MARK, { isExitpoint: false, outputs: [null] }),
      bench.node('two', MARK, { isExitpoint: false, outputs: [null], ...listensTo('one') }),
      bench.node('three', MARK, listensTo('two')),
    ])
    const answers = await Promise.all(['a', 'b', 'c'].map((text) => bench.ask(text)))
    expect(answers.map(textOf)).toEqual(['a+one+two+three', 'b+one+two+three', 'c+one+two+three'])
    expect(answers[0]).toMatchObject({ fromNode: 'three', hop: 3, messageType: 1 })
  })
})
