import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRPC_STATUS, parseStartStage, START_STAGE_FILE, type NodeLaunch } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { openTestBench, textOf, type TestBench } from '../testing/start-node.ts'

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
    const [dead, alive] = await Promise.all([bench.ask('exit'), bench.ask('next')])
    expect(dead.error).toContain(
      "the worker of node 'one' died (exit code 3) while handling this request",
    )
    expect(textOf(alive)).toBe('next:0')
  })

  test('a request whose worker is killed is handled once more, and given up when it happens again', async () => {
    await using bench = await openBench()
    await bench.node('one', '', fakePython(bench))
    expect(textOf(await bench.ask('crash once'))).toBe('crash once:0')
    expect((await bench.ask('crash')).error).toContain('died (signal SIGKILL)')
    expect(textOf(await bench.ask('after'))).toBe('after:0')
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
