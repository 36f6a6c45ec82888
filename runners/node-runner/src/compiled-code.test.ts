/** A runner with nothing to run fills the compile cache, so that no node loads the compiler and starts a second time. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { NODE_RUNNER_MAIN } from './index.ts'
import { openTestBench, textOf } from './testing/start-node.ts'

const main = fileURLToPath(NODE_RUNNER_MAIN)
/** Elsewhere nothing says how a process was started. */
const testOnLinux = process.platform === 'linux' ? test : test.skip

let nats: TestNats
let cache: string
beforeAll(async () => {
  nats = await startNats()
  cache = mkdtempSync(join(tmpdir(), 'kre-compiled-'))
})
afterAll(async () => {
  await nats[Symbol.asyncDispose]()
  rmSync(cache, { recursive: true, force: true })
})

testOnLinux('a node whose runner was compiled before starts once', async () => {
  const env = { ...process.env, NODE_COMPILE_CACHE: cache }
  spawnSync(process.execPath, [main], { env })
  await using bench = await openTestBench(
    await nats.connect(),
    nats.access,
    undefined,
    (launchFile) =>
      spawn(process.execPath, [main], {
        env: { ...env, KRE_LAUNCH_FILE: launchFile },
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
  )
  const source = `export function handler(ctx) { ctx.sendOutput({ text: 'done' }) }`
  const { pid } = await bench.node('plain', source, { src: 'plain.mjs' })
  expect(textOf(await bench.ask(''))).toBe('done')
  expect(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')).not.toContain(
    'KRE_STARTED_ANEW=1',
  )
})
