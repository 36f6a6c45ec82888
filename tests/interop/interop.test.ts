/** gRPC clients of other stacks against a real version: what one of them can do, all of them can. */
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { clientSuite } from './client-suite.ts'
import { prepareGo, preparePython, type Prepared } from './foreign-clients.ts'
import { startGrpcJs } from './grpc-js-client.ts'
import { startHttp2 } from './http2-client.ts'
import type { ClientTraits, InteropClient } from './interop-client.ts'
import { RUN, startInteropEngine, type InteropEngine } from './interop-version.ts'
import { encodePayload } from './payload.ts'

const LIBRARY: ClientTraits = { keepaliveMsMin: 100, canWaitForReady: true, showsEncoding: false }
const BY_HAND: ClientTraits = { keepaliveMsMin: 20, canWaitForReady: false, showsEncoding: true }
/** grpc-go pings every 10 s at most; its pings are tested by those with which it measures bandwidth. */
const GO: ClientTraits = { ...LIBRARY, keepaliveMsMin: null }
const CLIENTS: [name: string, version: string, prepared: Prepared, traits: ClientTraits][] = [
  ['grpc-js', 'js', { start: startGrpcJs }, LIBRARY],
  ['node:http2', 'http2', { start: startHttp2 }, BY_HAND],
  ['Python grpcio', 'python', preparePython(), LIBRARY],
  ['grpc-go', 'go', prepareGo(), GO],
]

let engine: InteropEngine
beforeAll(async () => {
  engine = await startInteropEngine()
})
afterAll(async () => engine?.[Symbol.asyncDispose]())

for (const [name, version, prepared, traits] of CLIENTS) {
  const isReady = 'start' in prepared
  const group = isReady ? describe : describe.skip
  group(isReady ? name : `${name} (skipped: ${prepared.reason})`, () => {
    let client: InteropClient
    let address = ''
    beforeAll(async () => {
      if (!isReady) return
      address = await engine.add(version)
      client = prepared.start()
    })
    afterAll(async () => client?.[Symbol.asyncDispose]())
    clientSuite({
      client: () => client,
      address: () => address,
      engine: () => engine,
      version,
      traits,
    })
  })
}

const hasH2load = spawnSync('h2load', ['--version']).status === 0
describe(hasH2load ? 'h2load' : 'h2load (skipped: it is not installed)', () => {
  const loads = [
    ['100 bytes, 8 connections x 25 streams', 100, 2_000, 8, 25],
    ['900 KiB, 2 connections x 4 streams', 900 * 1024, 40, 2, 4],
  ] as const
  let address = ''
  beforeAll(async () => {
    if (hasH2load) address = await engine.add('h2load')
  })
  const ifPresent = hasH2load ? test : test.skip
  ifPresent.each(loads)('gets an answer to each of %s', async (_what, bytes, calls, c, m) => {
    const message = encodePayload({ data: Buffer.alloc(bytes, 1) })
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(message.length, 1)
    const body = join(engine.dir, 'body.bin')
    await writeFile(body, Buffer.concat([prefix, message]))
    const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers']
    const load = ['-n', calls, '-c', c, '-m', m].map(String)
    const url = `http://${address}${RUN}`
    const { stdout } = spawnSync('h2load', [...load, ...headers, '-d', body, url], {
      encoding: 'utf8',
    })
    expect(stdout).toContain(`${calls} succeeded, 0 failed, 0 errored, 0 timeout`)
    // The answers, headers aside, are as large as what was sent.
    const received = Number(/\((\d+)\) data/.exec(stdout)?.[1])
    expect(received).toBe(calls * (message.length + prefix.length))
  })
})
