import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { buildBundle, ingestBundle } from '@kre/bundle'
import { KiB, MiB } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi
let bundle: Buffer

beforeAll(async () => {
  api = await startTestApi({ ingest: ingestBundle })
  await api.createRuntime()
  bundle = await smallBundle()
})
afterAll(() => api[Symbol.asyncDispose]())

const MANIFEST = `krtVersion: v2
version: small-v1
description: a small one
entrypoint:
  proto: public_input.proto
  image: konstellation/kre-entrypoint:8.2
workflows:
  - name: wf
    entrypoint: Call
    exitpoint: only
    nodes:
      - { name: only, image: konstellation/kre-ts:1.0, src: src/only.ts, subscriptions: [entrypoint] }
`
const PROTO = `syntax = "proto3";
package small;
message Request { string text = 1; }
message Response { string text = 1; }
service Entrypoint { rpc Call (Request) returns (Response) {}; }
`

async function smallBundle(): Promise<Buffer> {
  const directory = join(api.dataDir, 'small')
  await mkdir(join(directory, 'src'), { recursive: true })
  await writeFile(join(directory, 'kre.yaml'), MANIFEST)
  await writeFile(join(directory, 'public_input.proto'), PROTO)
  await writeFile(join(directory, 'src/only.ts'), 'export async function handle() {}\n')
  const built = await buildBundle({ directory, out: join(api.dataDir, 'small.krt') })
  if (!built.ok) throw new Error(JSON.stringify(built.issues))
  return readFile(built.file)
}

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
