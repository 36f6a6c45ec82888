/** Code that is slow or never done when it starts, against a whole engine whose starts have four seconds. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { waitUntil } from '@kre/service-kit'
import { packChain } from './support/ledger-bundle.ts'
import { startTestEngine, type TestEngine } from './support/ledger-engine.ts'
import { connectRaw } from './support/ledger.ts'

const RUNTIME = 'slow-starts'

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({ KRE_START_TIMEOUT_MS: '4000' })
  await engine.createRuntime(RUNTIME)
})
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
})

async function start(version: string, code: string): Promise<void> {
  const { status } = await engine.upload(RUNTIME, await packChain(version, { a: { code } }))
  expect(status).toBe(201)
  await engine.operate('start', RUNTIME, version)
}

async function reasonOf(version: string, wanted: RegExp): Promise<string> {
  return waitUntil(`reason of ${version}`, async () => {
    const { status, statusReason } = await engine.version(RUNTIME, version)
    return status === 'ERROR' && wanted.test(statusReason) ? statusReason : null
  })
}

describe('a version whose node does not become ready', () => {
  test('is in error, says how far the node came, and ends the one that blocks its process', async () => {
    await start('loop', "console.log('reading rows'); for (;;);")
    await reasonOf(
      'loop',
      /^node "a": blocked its thread for 4 s .* src\/a\.js is still being loaded, its log ends with "reading rows"/,
    )
    await engine.operate('stop', RUNTIME, 'loop')
    await engine.reach(RUNTIME, 'loop', 'STOPPED')
  })

  test('is in error only until it is ready', async () => {
    await using gate = await openGate()
    await start(
      'late',
      `export async function init() {
          while (!(await fetch(${JSON.stringify(gate.url)})).ok) await new Promise((resolve) => setTimeout(resolve, 50))
        }
        export const defaultHandler = (ctx, data) => ctx.sendOutput(ctx.unpack(data))`,
    )
    const reason = await reasonOf(
      'late',
      /^node "a": is not ready after 4 s: the init of src\/a\.js still runs, its log is empty/,
    )
    expect(reason).toContain('KRE_START_TIMEOUT_MS')
    const { pid, restarts } = await processOfNode()
    gate.open()
    const { entrypointAddress, statusReason } = await engine.reach(RUNTIME, 'late', 'STARTED')
    expect(statusReason).toBe('')
    expect(await processOfNode()).toMatchObject({ pid, restarts })
    using client = connectRaw(entrypointAddress)
    expect(await client.ask({ id: 'at last' })).toMatchObject({ ok: true })
  })
})

/** What a node can look at, wherever it runs: not found until it is open. */
async function openGate() {
  let status = 404
  const server = createServer((_, answer) => void answer.writeHead(status).end())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    open: () => void (status = 200),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function processOfNode() {
  const { processes } = await engine.status()
  const found = processes.find(({ version, role }) => version === 'late' && role === 'node')
  if (found === undefined) throw new Error('the node has no process')
  return found
}
