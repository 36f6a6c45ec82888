import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ingestBundle } from '@kre/bundle'
import { KiB, MiB } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { smallBundle } from '../testing/small-bundle.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi
let bundle: Buffer

beforeAll(async () => {
  api = await startTestApi({ ingest: ingestBundle })
  await api.createRuntime()
  bundle = await smallBundle(api)
})
afterAll(() => api[Symbol.asyncDispose]())

const put = (body: Buffer) =>
  api.send('/api/v1/runtimes/demo/versions', { method: 'PUT', headers: api.asOwner, body })

describe('uploads through the real bundle reader', () => {
  test('leave nothing when they are broken off in the middle', async () => {
    const req = request(new URL('/api/v1/runtimes/demo/versions', api.url), {
      method: 'PUT',
      headers: { ...api.asOwner, 'content-length': 64 * KiB },
    })
    req.on('error', () => undefined)
    req.write(bundle.subarray(0, bundle.length / 2))
    await waitUntil('work in the scratch folder', async () => (await api.scratchFiles()).length > 0)
    req.destroy()
    await waitUntil('an empty scratch folder', async () => (await api.scratchFiles()).length === 0)
    expect(await api.store.versions.list('demo')).toEqual([])
  })

  test('become a version whose download is the same bundle', async () => {
    const { status, text } = await put(bundle)
    expect([status, text]).toEqual([201, expect.any(String)])
    expect(await api.statusOf('small-v1')).toBe('CREATED')
    expect((await put(bundle)).status).toBe(200)
    const download = await api.send('/api/v1/runtimes/demo/versions/small-v1/bundle', {
      headers: api.asOwner,
    })
    expect(Number(download.headers['content-length'])).toBe(bundle.length)
    expect(await api.scratchFiles()).toEqual([])
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['much more of it than the reader wants to see', randomBytes(16 * MiB)],
  ])('are refused with issues when they are %s', async (_, body) => {
    const { status, text } = await put(body)
    expect(status).toBe(422)
    expect(JSON.parse(text)).toMatchObject({
      code: 'krt_validation_error',
      issues: [{ level: 'error', code: expect.stringMatching(/^[A-Z_]+$/) }],
    })
    expect(await api.scratchFiles()).toEqual([])
  })
})
