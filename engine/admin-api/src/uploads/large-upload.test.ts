import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { GiB, MiB } from '@kre/contracts'
import { Readable } from 'node:stream'
import { scriptedIngest } from '../testing/scripted-ingest.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { tusOf } from '../testing/tus.ts'

const CHUNK = Buffer.alloc(MiB, 'generated')
const BYTES = GiB
/** Beside what the process has anyway: buffers of sockets and files, and what is not collected yet. */
const MEMORY_BYTES_MAX = 256 * MiB

let api: TestApi
let peakBytes = 0
let sampler: NodeJS.Timeout

beforeEach(async () => {
  api = await startTestApi({
    uploadLimits: { bytesMax: BYTES, bytesUnderWayMax: BYTES },
    // Reads everything, as the real reader does, and keeps nothing.
    async ingest({ stream }, options) {
      let bytes = 0
      for await (const chunk of stream) bytes += (chunk as Buffer).length
      const bundle = JSON.stringify({ version: 'large', contents: String(bytes) })
      return scriptedIngest({ stream: Readable.from(Buffer.from(bundle)) }, options)
    },
  })
  await api.createRuntime()
  peakBytes = 0
  sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage().rss)
  }, 20)
})
afterEach(async () => {
  clearInterval(sampler)
  await api[Symbol.asyncDispose]()
})

test('an upload of 1 GiB, cut once, is taken in constant memory', async () => {
  const hash = createHash('sha256')
  for (let at = 0; at < BYTES; at += CHUNK.length) hash.update(CHUNK)
  const tus = tusOf(api)
  const metadata = `sha256 ${Buffer.from(hash.digest('hex')).toString('base64')}`
  const created = await tus.create(BYTES, { 'upload-metadata': metadata })
  const path = created.headers.location ?? ''
  const beforeBytes = process.memoryUsage().rss

  const cut = tus.openPart(path, 0)
  await write(cut, 300 * MiB)
  cut.destroy()
  const offset = await tus.offset(path)
  expect(offset).toBeGreaterThan(200 * MiB)
  const rest = tus.openPart(path, offset)
  const answer = once(rest, 'response')
  rest.write(CHUNK.subarray(offset % CHUNK.length))
  await write(rest, BYTES - Math.ceil(offset / CHUNK.length) * CHUNK.length)
  rest.end()
  await answer
  expect(await tus.offset(path)).toBe(BYTES)
  const { status, text } = await tus.finish(path)
  expect([status, text]).toEqual([201, expect.stringContaining('"large"')])
  expect(peakBytes - beforeBytes).toBeLessThan(MEMORY_BYTES_MAX)
}, 300_000)

async function write(req: ReturnType<ReturnType<typeof tusOf>['openPart']>, bytes: number) {
  for (let sent = 0; sent < bytes; sent += CHUNK.length)
    if (!req.write(CHUNK)) await once(req, 'drain')
}
