/** krectl's upload against the real admin API, over connections that break. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { MiB } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import {
  BOOTSTRAP_TOKEN,
  startTestApi,
  type TestApi,
} from '../engine/admin-api/src/testing/start-test-api.ts'
import { createAdminClient } from '../engine/krectl/src/api/admin-client.ts'
import { uploadBundle } from '../engine/krectl/src/api/upload-bundle.ts'
import { createOutput } from '../engine/krectl/src/output/output.ts'

const BYTES = 6 * MiB
let api: TestApi
let dir = ''
let file = ''
let shown = ''

beforeEach(async () => {
  shown = ''
  api = await startTestApi()
  await api.createRuntime()
  dir = await mkdtemp(join(tmpdir(), 'kre-upload-'))
  file = join(dir, 'bundle.krt')
  await writeBundle('v1')
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

const writeBundle = (version: string) =>
  writeFile(file, JSON.stringify({ version, contents: randomBytes(BYTES / 2).toString('hex') }))

/** What a terminal would show. */
const terminal = new Writable({
  write(chunk: Buffer, _encoding, done) {
    shown += chunk.toString()
    done()
  },
})
const upload = (url: string, reconnectTo = () => url, signal = new AbortController().signal) =>
  uploadBundle(createAdminClient(url, BOOTSTRAP_TOKEN), 'demo', file, {
    signal,
    output: createOutput(terminal, Object.assign(terminal, { isTTY: true })),
    reconnect: async () => createAdminClient(reconnectTo(), BOOTSTRAP_TOKEN),
  })

test('an upload goes on by itself after each cut, with bytes sent once', async () => {
  await using proxy = await startCuttingProxy(() => api.url, [MiB, 2 * MiB, 2 * MiB])
  const { name } = await upload(proxy.url)
  expect(name).toBe('v1')
  expect(proxy.cuts()).toBe(3)
  // What was on its way at a cut is sent again, not what had arrived.
  expect(proxy.bytes()).toBeLessThan(2 * BYTES)
  expect(shown).toContain('the connection was cut')
  expect(shown).toContain('6 MiB of 6 MiB sent')
  expect(await api.store.uploads.list()).toMatchObject([{ outcome: { versionName: 'v1' } }])
})

test('an upload goes on with the next engine, at another address', async () => {
  await using next = await startTestApi({ store: api.store })
  let engine = api.url
  await using proxy = await startCuttingProxy(() => engine, [3 * MiB])
  const { name } = await upload(proxy.url, () => {
    engine = next.url
    return next.url
  })
  expect(name).toBe('v1')
})

test('a second call goes on where an interrupted one ended', async () => {
  const interrupted = new AbortController()
  await using proxy = await startCuttingProxy(
    () => api.url,
    [3 * MiB],
    () => interrupted.abort(),
  )
  await expect(upload(proxy.url, () => proxy.url, interrupted.signal)).rejects.toBeDefined()
  const [open] = await api.store.uploads.list()
  // What was on its way to the engine still arrives.
  await waitUntil(
    'what was sent',
    async () => (await api.store.uploads.received(open?.id ?? '')) > MiB,
  )
  expect((await upload(api.url)).name).toBe('v1')
  expect(shown).toContain('going on with')
  expect(await api.store.uploads.list()).toHaveLength(1)
})

test('a small bundle goes in one piece with its digest', async () => {
  await writeFile(file, '{"version":"small"}')
  expect((await upload(api.url)).name).toBe('small')
  expect(await api.store.uploads.list()).toEqual([])
})

test('an engine that never was there is not waited for', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await expect(upload(`http://127.0.0.1:${port}`)).rejects.toMatchObject({
    name: 'EngineUnreachable',
  })
})

/** Passes bytes on and cuts both sides once so many have gone up, one number per cut. */
async function startCuttingProxy(
  target: () => string,
  cutsAfter: number[],
  onCut: () => void = () => undefined,
) {
  const sockets = new Set<Socket>()
  let left = cutsAfter.shift() ?? Infinity
  let cuts = 0
  let bytes = 0
  const server = createServer((client) => {
    const { hostname, port } = new URL(target())
    const upstream = connect(Number(port), hostname)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
    upstream.pipe(client)
    client.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      left -= chunk.length
      if (!upstream.write(chunk)) {
        client.pause()
        upstream.once('drain', () => client.resume())
      }
      if (left > 0) return
      left = cutsAfter.shift() ?? Infinity
      cuts += 1
      onCut()
      // What was written arrives first.
      upstream.end()
      client.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    cuts: () => cuts,
    bytes: () => bytes,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
