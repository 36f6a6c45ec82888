/** The real Python worker behind a real node: what no fake can show of both together. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { MINUTE_MS, type NodeLaunch } from '@kre/contracts'
import { preparePython, startNats, type TestNats } from '@kre/service-kit/testing'
import { openTestBench, textOf } from '../testing/start-node.ts'

const prepared = preparePython()
const run = 'reason' in prepared ? test.skip : test
const why = 'reason' in prepared ? ` (skipped: ${prepared.reason})` : ''
const executable = 'reason' in prepared ? '' : prepared.executable

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const openBench = async () => openTestBench(await nats.connect(), nats.access)
const python = (changes: Partial<NodeLaunch> = {}): Partial<NodeLaunch> => ({
  runner: 'python',
  src: 'node.py',
  python: { executable, path: [] },
  ...changes,
})

const BEHAVES = `
import ctypes, os, time

def behave(text):
    if text == "segfault":
        ctypes.string_at(0)
    if text == "exit":
        os._exit(3)
    if text == "loop":
        while True:
            pass
    if text == "raise":
        raise ValueError("no")
`
/** As the message's text says; text is field 1 of the message. */
const SYNC = `${BEHAVES}
def default_handler(ctx, data):
    text = bytes(ctx.payload)[2:].decode()
    behave(text)
    ctx.send_any(data)
`
const ASYNC = SYNC.replace('def default_handler', 'async def default_handler').replace(
  'ctx.send_any',
  'await ctx.send_any',
)
const BATCH = `${BEHAVES}
def batch_handler(contexts, messages):
    for ctx in contexts:
        behave(bytes(ctx.payload)[2:].decode())
    for ctx, data in zip(contexts, messages):
        ctx.send_any(data)
`

describe(`a node with the Python worker${why}`, () => {
  for (const [kind, source] of [
    ['sync', SYNC],
    ['async', ASYNC],
  ] as const) {
    run(`${kind}: 500 requests at once are answered, each with its own`, async () => {
      await using bench = await openBench()
      await bench.node('one', source, python())
      const texts = Array.from({ length: 500 }, (_, i) => (i % 10 === 0 ? 'raise' : `t${i}`))
      const answers = await Promise.all(texts.map((text) => bench.ask(text)))
      expect(answers.map(textOf)).toEqual(
        texts.map((text) => (text === 'raise' ? expect.stringMatching(/: no$/) : text)),
      )
    })

    run(
      `${kind}: only those that end the worker fail, however many wait in it`,
      async () => {
        await using bench = await openBench()
        await bench.node('one', source, python())
        for (let i = 0; i < 20; i++) await bench.ask('warm')
        const texts = ['a', 'b', 'segfault', 'c', 'd', 'exit', 'e', 'f', 'g']
        const answers = await Promise.all(
          texts.map((text) => bench.ask(text, { deadlineMs: 60_000 })),
        )
        expect(answers.map(textOf)).toEqual(
          texts.map((text) =>
            text.length > 1 ? expect.stringContaining('while handling this request') : text,
          ),
        )
      },
      MINUTE_MS,
    )

    run(
      `${kind}: an endless loop ends at its deadline, and what waited behind it is handled`,
      async () => {
        await using bench = await openBench()
        await bench.node('one', source, python())
        for (let i = 0; i < 20; i++) await bench.ask('warm')
        const loop = bench.ask('loop', { deadlineMs: 500 })
        const behind = ['a', 'b', 'c'].map((text) => bench.ask(text, { deadlineMs: 60_000 }))
        expect((await loop).error).toContain('did not finish within its deadline')
        expect((await Promise.all(behind)).map(textOf)).toEqual(['a', 'b', 'c'])
      },
      MINUTE_MS,
    )
  }

  run(
    'of a batch with a segmentation fault, only that message fails',
    async () => {
      await using bench = await openBench()
      await bench.node('one', BATCH, python({ batch: { maxSize: 4, maxDelayMs: 500 } }))
      const texts = ['a', 'segfault', 'c', 'd']
      const answers = await Promise.all(
        texts.map((text) => bench.ask(text, { deadlineMs: 60_000 })),
      )
      expect(answers.map(textOf)).toEqual([
        'a',
        expect.stringContaining('died (signal SIGSEGV) while handling this request'),
        'c',
        'd',
      ])
    },
    MINUTE_MS,
  )

  run(
    'a message of a batch whose deadline passes ends by itself, and the others go on',
    async () => {
      await using bench = await openBench()
      const slow = `
import time
def handler(contexts, messages):
    time.sleep(0.4)
    return messages
`
      await bench.node('one', slow, python({ batch: { maxSize: 2, maxDelayMs: 500 } }))
      const [early, late] = await Promise.all([
        bench.ask('early', { deadlineMs: 200 }),
        bench.ask('late', { deadlineMs: 60_000 }),
      ])
      expect(early.error).toContain('did not finish within its deadline')
      expect(textOf(late)).toBe('late')
    },
    MINUTE_MS,
  )
})
