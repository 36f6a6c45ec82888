import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRPC_STATUS, parseStartStage, START_STAGE_FILE, type NodeLaunch } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { openTestBench, textOf, type RunningNode, type TestBench } from '../testing/start-node.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const openBench = async () => openTestBench(await nats.connect(), nats.access)

/** An "interpreter" that starts the fake worker whatever it is asked to run. */
function fakePython(bench: TestBench): Partial<NodeLaunch> {
  const executable = join(bench.basePath, 'python')
  const script = resolve(import.meta.dirname, '../testing/fake-worker.ts')
  writeFileSync(executable, `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`)
  chmodSync(executable, 0o755)
  return { runner: 'python', src: 'src/node.py', python: { executable, path: [] } }
}

/** Workers are started anew meanwhile, which takes a busy computer a while. */
const PATIENT = { deadlineMs: 60_000 }
const hasEnded = ({ child }: RunningNode) => child.exitCode !== null || child.signalCode !== null

describe('a node with a worker', () => {
  test('answers, fails and calls services through the worker', async () => {
    await using bench = await openBench()
    await bench.node('one', '', fakePython(bench))
    expect(textOf(await bench.ask('hello'))).toBe('hello:0')
    expect(await bench.ask('fail')).toMatchObject({
      messageType: 2,
      error: "Error in node 'one' executing handler for node 'entrypoint': boom",
      statusCode: GRPC_STATUS.internal,
    })
    expect(await bench.ask('malformed')).toMatchObject({
      statusCode: GRPC_STATUS['invalid-argument'],
    })
    expect(textOf(await bench.ask('get'))).toMatch(/^error: the configuration of scope "node"/)
  })

  test('a worker that exits fails its request only, and a new one takes the next', async () => {
    await using bench = await openBench()
    await bench.node('one', '', fakePython(bench))
    const [dead, alive] = await Promise.all([
      bench.ask('exit', PATIENT),
      bench.ask('next', PATIENT),
    ])
    expect(dead.error).toContain(
      "the worker of node 'one' died (exit code 3) while handling this request",
    )
    expect(textOf(alive)).toBe('next:0')
  })

  test('a worker that leaves a process behind, which holds its output open, is replaced', async () => {
    await using bench = await openBench()
    await bench.node('one', '', fakePython(bench))
    const dead = await bench.ask('exit and leave', PATIENT)
    expect(dead.error).toContain('died (exit code 3) while handling this request')
    expect(textOf(await bench.ask('next', PATIENT))).toBe('next:0')
    process.kill(Number(readFileSync(join(bench.basePath, 'left-behind'), 'utf8')))
  })

  test('a worker that hangs up and does not end is replaced', async () => {
    await using bench = await openBench()
    await bench.node('one', '', fakePython(bench))
    const answer = await bench.ask('hang up once', PATIENT)
    expect(textOf(answer)).toBe('hang up once:0')
  })

  test('a request whose worker is killed is handled once more, and given up when it happens again', async () => {
    await using bench = await openBench()
    await bench.node('one', '', fakePython(bench))
    expect(textOf(await bench.ask('crash once', PATIENT))).toBe('crash once:0')
    expect((await bench.ask('crash', PATIENT)).error).toContain('died (signal SIGKILL)')
    expect(textOf(await bench.ask('after', PATIENT))).toBe('after:0')
  })

  test('an endless loop ends at its deadline and holds up no other request', async () => {
    await using bench = await openBench()
    await bench.node('one', '', fakePython(bench))
    const [stuck, next] = await Promise.all([
      bench.ask('loop', { deadlineMs: 300 }),
      bench.ask('next'),
    ])
    expect(stuck).toMatchObject({
      error: "node 'one' did not finish within its deadline",
      statusCode: GRPC_STATUS['deadline-exceeded'],
    })
    expect(textOf(next)).toBe('next:0')
  })

  test.each(['crash', 'exit'])('what waits in a worker behind a %s is handled', async (text) => {
    await using bench = await openBench()
    await bench.node('one', '', fakePython(bench))
    // Quick ones, so that others are given ahead.
    for (let i = 0; i < 3; i++) await bench.ask('warm')
    const names = ['a', 'b', text, 'c', text, 'd', 'e']
    const answers = await Promise.all(names.map((name) => bench.ask(name, PATIENT)))
    const expected = names.map((name) =>
      name === text ? expect.stringContaining('while handling this request') : `${name}:0`,
    )
    expect(answers.map(textOf)).toEqual(expected)
  })

  test('a request whose deadline passes in the worker, before its turn, harms no other', async () => {
    await using bench = await openBench()
    const node = await bench.node('one', '', fakePython(bench))
    for (let i = 0; i < 3; i++) await bench.ask('warm')
    const loop = bench.ask('loop', { deadlineMs: 1_500 })
    void bench.ask('ahead', { deadlineMs: 100 })
    const next = bench.ask('next')
    expect((await loop).error).toContain('did not finish within its deadline')
    expect(textOf(await next)).toBe('next:0')
    expect(hasEnded(node)).toBe(false)
  })

  test('messages reach the worker in batches, and each has an answer of its own', async () => {
    await using bench = await openBench()
    const batch = { maxSize: 3, maxDelayMs: 1_000 }
    await bench.node('one', '', { ...fakePython(bench), batch })
    const answers = await Promise.all(['a', 'fail', 'c'].map((text) => bench.ask(text)))
    expect(answers.map(textOf)).toEqual(['a:0 of 3', expect.stringContaining('boom'), 'c:0 of 3'])
  })

  test.each(['crash', 'exit'])('of a batch with a %s, only that message fails', async (text) => {
    await using bench = await openBench()
    const batch = { maxSize: 4, maxDelayMs: 1_000 }
    await bench.node('one', '', { ...fakePython(bench), batch })
    const answers = await Promise.all(['a', 'b', text, 'd'].map((name) => bench.ask(name, PATIENT)))
    expect(answers.map(textOf)).toEqual([
      'a:0',
      'b:0',
      expect.stringContaining('while handling this request'),
      'd:0',
    ])
  })

  test('code that cannot be loaded ends the node with its place and reason', async () => {
    await using bench = await openBench()
    const node = await bench.node('one', '', { ...fakePython(bench), src: 'src/broken.py' })
    expect(await node.exited).toEqual({ code: 78, signal: null })
    expect(node.stderr()).toBe('src/broken.py:3: ModuleNotFoundError: No module named "nothing"\n')
  })

  test('shows how far its start is and what the worker said last', async () => {
    await using bench = await openBench()
    const { launch } = bench.start('one', '', { ...fakePython(bench), src: 'src/endless.py' })
    const file = join(launch.workPath, START_STAGE_FILE)
    await waitUntil('it is in init', () => {
      const stage = existsSync(file) ? parseStartStage(readFileSync(file, 'utf8')) : null
      return stage?.stage === 'init' && stage.line === 'reading the model'
    })
  })

  test('drains with its worker on SIGTERM', async () => {
    await using bench = await openBench()
    const node = await bench.node('one', '', fakePython(bench))
    expect(textOf(await bench.ask('hello'))).toBe('hello:0')
    node.child.kill('SIGTERM')
    expect(await node.exited).toEqual({ code: 0, signal: null })
  })
})
