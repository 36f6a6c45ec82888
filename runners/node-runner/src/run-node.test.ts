import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  controlSubject,
  GRPC_STATUS,
  IN_FLIGHT_FILE,
  ingressSubject,
  isBlocked,
  MESSAGE_TYPE,
  monotonicMs,
  nodeSubject,
  parseInFlight,
  parseStartStage,
  START_STAGE_FILE,
  decodeEnvelope,
  type Announcement,
  type NodeLaunch,
} from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { openTestBench, textOf, WORKFLOW, type RunningNode } from './testing/start-node.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const openBench = async () => openTestBench(await nats.connect(), nats.access)
const listensTo = (from: string, channel: string | null = null): Partial<NodeLaunch> => ({
  subscriptions: [{ from, channel, durability: 'fast' }],
})
const inner = (outputs: (string | null)[] = [null]) => ({ isExitpoint: false, outputs })

const MARK = `
  export const defaultHandler = async (ctx, data) => {
    const { text } = ctx.unpack(data)
    await ctx.sendOutput({ $typeName: 'test.Text', text: text + '+' + process.env.KRT_NODE_ID })
  }`
/** Behaves as the message's text says. */
const HOSTILE = `
  let runs = 0
  export const defaultHandler = async (ctx, data) => {
    const { text } = ctx.unpack(data)
    runs++
    if (text === 'throw') throw new Error('boom')
    if (text === 'exit') process.exit(1)
    if (text === 'reject') void Promise.reject(new Error('left behind'))
    if (text === 'loop') for (;;);
    if (text === 'wait' || text === 'reject') await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
    if (text === 'late') {
      await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
      await ctx.sendOutput({ text: 'too late' })
    }
    await ctx.sendOutput({ text: text + ':' + runs })
  }`

describe('a chain of nodes', () => {
  test('answers with the marks of all nodes', async () => {
    await using bench = await openBench()
    await Promise.all([
      bench.node('one', MARK, inner()),
      bench.node('two', MARK, { ...inner(), ...listensTo('one') }),
      bench.node('three', MARK, listensTo('two')),
    ])
    const answers = await Promise.all(['a', 'b', 'c'].map((text) => bench.ask(text)))
    expect(answers.map(textOf)).toEqual(['a+one+two+three', 'b+one+two+three', 'c+one+two+three'])
    expect(answers[0]).toMatchObject({ fromNode: 'three', hop: 3, messageType: MESSAGE_TYPE.ok })
  })

  test('routes by channel, and gives a repeated request the same lineages', async () => {
    await using bench = await openBench()
    const route = `export const defaultHandler = async (ctx, data) => {
      await ctx.sendAny(data, ctx.unpack(data).text)
      await ctx.sendAny(data, 'nobody')
    }`
    const lineages: number[] = []
    bench.connection.subscribe(nodeSubject({ ...WORKFLOW, node: 'one' }, 'odd'), {
      callback: (_, message) => void lineages.push(decodeEnvelope(message.data).lineage),
    })
    await Promise.all([
      bench.node('one', route, inner(['odd', 'even'])),
      bench.node('odd', MARK, listensTo('one', 'odd')),
      bench.node('even', MARK, listensTo('one', 'even')),
    ])
    expect(textOf(await bench.ask('odd', { requestId: 'r-1' }))).toBe('odd+odd')
    expect(textOf(await bench.ask('even'))).toBe('even+even')
    expect(textOf(await bench.ask('odd', { requestId: 'r-1' }))).toBe('odd+odd')
    expect(lineages).toHaveLength(2)
    expect(lineages[0]).toBe(lineages[1])
    expect(lineages[0]).not.toBe(0)
  })

  test('says at once which node is missing, and waits for one that comes back', async () => {
    await using bench = await openBench()
    await bench.node('one', MARK, inner())
    expect(await bench.ask('x', { deadlineMs: 150 })).toMatchObject({
      error: 'no replica of a node that listens to "one" is running',
      statusCode: GRPC_STATUS.unavailable,
    })
    const answer = bench.ask('y')
    await bench.node('two', MARK, listensTo('one'))
    expect(textOf(await answer)).toBe('y+one+two')
  })

  test('an early reply answers at once and the branch goes on; after an early exit nothing is sent', async () => {
    await using bench = await openBench()
    const early = `export const defaultHandler = async (ctx, data) => {
      const { text } = ctx.unpack(data)
      const answer = ctx.create('test.Text', { text: 'early ' + text })
      if (text === 'reply') await ctx.sendEarlyReply(answer)
      else await ctx.sendEarlyExit(answer)
      await ctx.sendAny(data)
    }`
    await bench.node('one', early, inner())
    await bench.node('two', MARK, listensTo('one'))
    expect(await bench.ask('reply')).toMatchObject({ messageType: MESSAGE_TYPE.earlyReply })
    await waitUntil('the branch went on', () =>
      bench.answers.some((a) => textOf(a) === 'reply+two'),
    )
    expect(await bench.ask('exit')).toMatchObject({ messageType: MESSAGE_TYPE.earlyExit })
    expect(textOf(await bench.ask('reply'))).toBe('early reply')
    expect(bench.answers.map(textOf)).not.toContain('exit+two')
  })
})

describe('linear handlers', () => {
  test('what they return is the output: messages, plain objects, Structs between nodes', async () => {
    await using bench = await openBench()
    const first = `let ready = ''
      export async function init(ctx) { ready = 'ready'; ctx.factor = 2; ctx.set('seen', 'yes') }
      export function handler(ctx, data) { return { words: data.unpack().text.split(' '), ready, factor: ctx.factor } }`
    const last = `export const handler = async (ctx, data) => {
      const { words, ready, factor } = data.toObject()
      return { text: [...words, ready, factor].join('|') }
    }`
    await bench.node('one', first, inner())
    await bench.node('two', last, listensTo('one'))
    expect(textOf(await bench.ask('a b'))).toBe('a|b|ready|2')
  })

  test('customHandlers win over defaultHandler', async () => {
    await using bench = await openBench()
    await bench.node(
      'one',
      `
      exports = undefined
      export const defaultHandler = (ctx) => ctx.sendOutput({ text: 'default' })
      export const customHandlers = { entrypoint: (ctx) => ctx.sendOutput({ text: 'custom' }) }`.replace(
        'exports = undefined',
        '',
      ),
    )
    expect(textOf(await bench.ask('x'))).toBe('custom')
  })
})

describe('failures of user code', () => {
  test('one failing request of many fails alone, with its own text', async () => {
    await using bench = await openBench()
    await bench.node(
      'one',
      HOSTILE.replace(
        "'throw') throw new Error('boom')",
        "'throw' || text.endsWith('7')) throw new Error('boom ' + text)",
      ),
    )
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => bench.ask(`request ${i}`)),
    )
    for (const [i, answer] of answers.entries()) {
      if (i % 10 !== 7) expect(textOf(answer)).toMatch(new RegExp(`^request ${i}:`))
      else {
        const prefix = "Error in node 'one' executing handler for node 'entrypoint'"
        expect(answer).toMatchObject({
          error: `${prefix}: boom request ${i}`,
          statusCode: GRPC_STATUS.internal,
          messageType: MESSAGE_TYPE.error,
        })
      }
    }
  })

  test('an error reaches a node that handles errors instead of the caller', async () => {
    await using bench = await openBench()
    await bench.node('one', HOSTILE, inner())
    await bench.node(
      'two',
      `
      export const defaultHandler = (ctx, data) => ctx.sendOutput(data)
      export const errorHandler = (ctx) => ctx.sendOutput({ text: 'handled: ' + ctx.errorMessage })`,
      listensTo('one'),
    )
    expect(textOf(await bench.ask('throw'))).toBe(
      "handled: Error in node 'one' executing handler for node 'entrypoint': boom",
    )
  })

  test('process.exit and stray rejections tell the caller, and the process ends with 70', async () => {
    await using bench = await openBench()
    const one = await bench.node('one', HOSTILE)
    expect((await bench.ask('exit')).error).toContain('user code called process.exit(1)')
    expect(await one.exited).toEqual({ code: 70, signal: null })
    const two = await bench.node('one', HOSTILE)
    expect((await bench.ask('reject')).error).toContain('left behind')
    expect(await two.exited).toEqual({ code: 70, signal: null })
  })

  test('process.exit while the file is loaded ends the node and says why', async () => {
    await using bench = await openBench()
    const node = await bench.node('one', 'process.exit(0)')
    expect(await node.exited).toEqual({ code: 70, signal: null })
    expect(node.stderr()).toBe('user code called process.exit(0)\n')
  })

  test('an endless loop is visible to the supervisor soon after its deadline, and its request is announced by the next process', async () => {
    await using bench = await openBench()
    const stuck = await bench.node('one', HOSTILE)
    const journal = join(stuck.launch.workPath, IN_FLIGHT_FILE)
    void bench.ask('loop', { deadlineMs: 300, requestId: 'the-stuck-one' })
    await waitUntil('blocked', () =>
      isBlocked(parseInFlight(readFileSync(journal, 'latin1')), monotonicMs(), 100),
    )
    stuck.child.kill('SIGKILL')
    await stuck.exited
    const next = await bench.node('one', HOSTILE)
    expect(next.announcements[0]?.interrupted).toEqual(['the-stuck-one'])
    expect(textOf(await bench.ask('x'))).toBe('x:1')
  })

  test('a process that moves on never looks blocked, whatever becomes of its calls', async () => {
    await using bench = await openBench()
    const node = await bench.node('one', HOSTILE)
    const journal = join(node.launch.workPath, IN_FLIGHT_FILE)
    const calls = () => parseInFlight(readFileSync(journal, 'latin1'))
    const running = bench.ask('wait', { deadlineMs: 1_000 })
    await waitUntil('running', () => calls().length === 1)
    // It waits behind the first one, beyond its own deadline, so no handler ever overwrites the record.
    void bench.ask('never runs', { deadlineMs: 900 })
    expect(await running).toMatchObject({ statusCode: GRPC_STATUS['deadline-exceeded'] })
    expect(calls()).toEqual([])
    expect(textOf(await bench.ask('x'))).toBe('x:2')
    await waitUntil('free again', () => calls().length === 0)
  })

  test('a handler that outlives its deadline is aborted, its slot is free, and its late output is dropped', async () => {
    await using bench = await openBench()
    await bench.node('one', HOSTILE)
    expect(await bench.ask('late', { deadlineMs: 150 })).toMatchObject({
      statusCode: GRPC_STATUS['deadline-exceeded'],
      error: "node 'one' did not finish within its deadline",
    })
    expect(textOf(await bench.ask('x'))).toBe('x:2')
    expect(bench.answers.map(textOf)).not.toContain('too late')
  })

  test('a bundle that cannot be loaded ends the node with place and reason', async () => {
    await using bench = await openBench()
    for (const [source, text] of [
      ['export const x: number =\nexport const = 3', /^one\.ts:\d+: SyntaxError/],
      ["import { a } from './missing'", /^one\.ts: .*Cannot find module '?missing/],
      ["import a from 'lodash'", /^one\.ts: Cannot find package 'lodash'.*build the package into/],
      ['export const nothing = 1', /^one\.ts.*exports no handler/],
      [
        "\nexport const handler = 1\nthrow new TypeError('no model')",
        /^one\.ts:3: TypeError: no model\n$/,
      ],
      [
        "export function init() { throw new Error('no model') }\nexport const handler = () => 1",
        /^init failed: one\.ts:1: no model\n$/,
      ],
    ] as const) {
      const node = await bench.node('one', source)
      expect(await node.exited).toEqual({ code: 78, signal: null })
      expect(node.stderr()).toMatch(text)
    }
  })
})

describe('a start', () => {
  const stageOf = async ({ launch }: RunningNode, line: string) => {
    const file = join(launch.workPath, START_STAGE_FILE)
    return waitUntil('the last line', () => {
      const stage = existsSync(file) ? parseStartStage(readFileSync(file, 'utf8')) : null
      return stage?.line === line ? stage : null
    })
  }

  test('that user code blocks shows how far it is and what it said last', async () => {
    await using bench = await openBench()
    const node = bench.start('one', "console.log('first'); console.log('two\\nrows'); for (;;);")
    const stage = await stageOf(node, 'rows')
    expect(stage.stage).toBe('load')
  })

  test('that waits shows that its thread is alive', async () => {
    await using bench = await openBench()
    const node = bench.start(
      'one',
      `export const handler = () => 1
      export const init = (ctx) => { ctx.logger.info('reading'); return new Promise(() => {}) }`,
    )
    const { stage, beat } = await stageOf(node, 'reading')
    expect(stage).toBe('init')
    await waitUntil('it goes on', async () => (await stageOf(node, 'reading')).beat > beat)
  })

  test('that is over leaves no trace of it', async () => {
    await using bench = await openBench()
    const { launch } = await bench.node('one', 'export const handler = () => 1')
    expect(existsSync(join(launch.workPath, START_STAGE_FILE))).toBe(false)
  })
})

describe('retries, cancellation, limits', () => {
  test('a RetryableError is tried again as often as declared', async () => {
    await using bench = await openBench()
    await bench.node(
      'one',
      `
      import { RetryableError } from '@kre/sdk'
      export const defaultHandler = async (ctx, data) => {
        if (ctx.attempt < Number(ctx.unpack(data).text)) throw new RetryableError('not yet')
        await ctx.sendOutput({ text: 'attempt ' + ctx.attempt })
      }`,
      { retries: { max: 2, backoffMs: 5 } },
    )
    expect(textOf(await bench.ask('3'))).toBe('attempt 3')
    expect((await bench.ask('4')).error).toContain('not yet')
  })

  test('a cancelled request is aborted, and a waiting one never starts', async () => {
    await using bench = await openBench()
    await bench.node('one', HOSTILE)
    void bench.ask('wait', { requestId: 'running' })
    void bench.ask('queued', { requestId: 'waiting' })
    const last = bench.ask('last')
    await bench.connection.flush()
    const cancel = JSON.stringify({ requestIds: ['running', 'waiting'] })
    bench.connection.publish(controlSubject(WORKFLOW, 'cancel'), cancel)
    expect(textOf(await last)).toBe('last:2')
  })

  test('expired work is dropped, and a full queue refuses', async () => {
    await using bench = await openBench()
    await bench.node('one', HOSTILE)
    void bench.ask('expired', { deadlineMs: -1_000 })
    void bench.ask('wait', { deadlineMs: 1_500 })
    const many = await Promise.all(Array.from({ length: 1_100 }, (_, i) => bench.ask(`q${i}`)))
    const refused = many.filter((a) => a.statusCode === GRPC_STATUS['resource-exhausted'])
    expect(refused.length).toBe(76)
    expect(refused[0]?.error).toContain("node 'one' is overloaded")
    expect(bench.answers.map(textOf)).not.toContain('expired:1')
  })

  test('handlers run side by side up to the declared concurrency', async () => {
    await using bench = await openBench()
    await bench.node(
      'one',
      `
      let inside = 0, release
      const all = new Promise((resolve) => (release = resolve))
      export const defaultHandler = async (ctx) => {
        if (++inside === 3) release()
        await all
        await ctx.sendOutput({ text: String(inside) })
      }`,
      { concurrency: 3 },
    )
    const answers = await Promise.all(['a', 'b', 'c'].map((text) => bench.ask(text)))
    expect(answers.map(textOf)).toEqual(['3', '3', '3'])
  })

  test("a malformed request is the caller's fault", async () => {
    await using bench = await openBench()
    await bench.node(
      'one',
      `export const defaultHandler = (ctx, data) => ctx.unpack({ typeUrl: data.typeUrl, value: Uint8Array.of(10, 99) })`,
    )
    expect(await bench.ask('x')).toMatchObject({ statusCode: GRPC_STATUS['invalid-argument'] })
    expect(await bench.ask('x', { typeUrl: 'type.googleapis.com/test.Other' })).toMatchObject({
      statusCode: GRPC_STATUS.internal,
    })
    bench.connection.publish(ingressSubject(WORKFLOW), 'no envelope')
    expect(await bench.ask('x')).toMatchObject({ statusCode: GRPC_STATUS['invalid-argument'] })
  })
})

describe('life of the process', () => {
  test('finishes what it has on SIGTERM, announces it, and ends with 0', async () => {
    await using bench = await openBench()
    const node = await bench.node(
      'one',
      `export const defaultHandler = async (ctx, data) => {
      console.log('inside')
      await new Promise((resolve) => setTimeout(resolve, 300))
      await ctx.sendAny(data)
    }`,
    )
    const answer = bench.ask('in flight')
    const journal = join(node.launch.workPath, 'in-flight')
    await waitUntil('in the handler', () => readFileSync(journal, 'latin1').trim() !== '')
    node.child.kill('SIGTERM')
    expect(textOf(await answer)).toBe('in flight')
    expect(await node.exited).toEqual({ code: 0, signal: null })
    expect(node.announcements.at(-1)?.state).toBe('draining')
    expect(readFileSync(journal, 'latin1').trim()).toBe('')
  })

  test('answers a ping and ends when the engine is gone', async () => {
    await using bench = await openBench()
    const node = await bench.node('one', MARK, { engineAbsenceMs: 500 })
    const pong = await bench.connection.request(controlSubject(WORKFLOW, 'ping'))
    expect(pong.json<Announcement>()).toMatchObject({
      role: 'node',
      node: 'one',
      pid: node.pid,
      state: 'ready',
      bundleDigest: 'sha256:00',
    })
    expect(await node.exited).toEqual({ code: 0, signal: null })
  })

  test('goes on when the broker comes back', async () => {
    await using own = await startNats()
    await using bench = await openTestBench(await own.connect(), own.access)
    await bench.node('one', MARK)
    await own.restart()
    const answer = await waitUntil('an answer', () =>
      Promise.race([
        bench.ask('x', { deadlineMs: 300 }),
        new Promise<null>((resolve) => setTimeout(resolve, 300, null)),
      ]),
    )
    expect(textOf(answer)).toBe('x+one')
  })

  test('user code sees the documented environment, its configuration, and nothing of the engine', async () => {
    await using bench = await openBench()
    const node = await bench.node(
      'one',
      `import { readFileSync } from 'node:fs'
      export const handler = (ctx) => ({ text: JSON.stringify({
        env: process.env, cwd: process.cwd(), file: readFileSync(process.env.MODEL_PATH, 'utf8'), config: ctx.config('THRESHOLD') }) })`,
      {
        config: { variables: { THRESHOLD: '0.5' }, files: { MODEL: 'weights' } },
      },
    )
    const seen = JSON.parse(textOf(await bench.ask('x'))) as {
      env: Record<string, string>
      cwd: string
    }
    expect(seen).toMatchObject({
      config: '0.5',
      file: 'weights',
      env: {
        KRT_NODE_ID: 'one',
        KRT_WORKFLOW_NAME: 'Workflow',
        KRT_BASE_PATH: bench.basePath,
        THRESHOLD: '0.5',
        MODEL: 'weights',
      },
    })
    expect(Object.keys(seen.env).filter((name) => name.startsWith('KRE_'))).toEqual([])
    const file = join(node.launch.workPath, 'files', 'MODEL')
    expect(existsSync(file) && (statSync(file).mode & 0o777).toString(8)).toBe('400')
  })
})
