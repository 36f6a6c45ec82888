import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { DAY_MS, MiB } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { Upload } from 'tus-js-client'
import { bearerOf, makeUser, removeUser } from '../testing/people.ts'
import { anIssue } from '../testing/scripted-ingest.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { sha256Metadata, tusOf } from '../testing/tus.ts'

const LIMITS = { bytesMax: 10 * MiB, bytesUnderWayMax: 15 * MiB, versionsMax: 3 }
let api: TestApi
let tus: ReturnType<typeof tusOf>

beforeEach(async () => {
  api = await startTestApi({ uploadLimits: LIMITS })
  await api.createRuntime()
  tus = tusOf(api)
})
afterEach(() => api[Symbol.asyncDispose]())

const BUNDLE = JSON.stringify({ version: 'v1', contents: 'x'.repeat(1_000) })
const json = (text: string) => JSON.parse(text) as Record<string, never>
const files = () => readdir(join(api.dataDir, 'uploads'))
/** Begins an upload and returns its address. */
const begin = async (text = BUNDLE, headers: Record<string, string> = {}): Promise<string> => {
  const { status, headers: answered } = await tus.create(Buffer.byteLength(text), headers)
  expect(status).toBe(201)
  return answered.location ?? ''
}

describe('an upload in parts', () => {
  test('becomes a version, and says so again when it is asked again', async () => {
    const path = await begin(BUNDLE, sha256Metadata(BUNDLE))
    expect((await tus.part(path, 0, BUNDLE.slice(0, 300))).headers['upload-offset']).toBe('300')
    expect(await tus.offset(path)).toBe(300)
    const last = await tus.part(path, 300, BUNDLE.slice(300))
    expect([last.status, last.headers['upload-offset']]).toEqual([204, String(BUNDLE.length)])
    for (let time = 0; time < 2; time += 1) {
      const { status, text } = await tus.finish(path)
      expect([status, json(text)['version']]).toMatchObject([201, { name: 'v1' }])
    }
    expect(await api.scratchFiles()).toEqual([])
    expect((await files()).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  test('takes no more of a part whose sender may not send it any more', async () => {
    await makeUser(api, 'ada@kre.io', { grants: [{ runtimeId: 'demo', accessLevel: 'MANAGER' }] })
    const headers = await bearerOf(api, 'ada@kre.io')
    const theirs = tusOf(api, headers)
    const { headers: answered } = await theirs.create(8 * MiB)
    const req = theirs.openPart(answered.location ?? '', 0)
    let status = 0
    req.on('response', (res) => void (status = res.resume().statusCode ?? 0))
    // Byte by byte, as from far away.
    const sent = waitUntil('the refusal', () => status !== 0 || !req.write('x'))
    await removeUser(api, 'ada@kre.io')
    await sent
    expect(status).toBe(401)
    req.destroy()
  })

  test('works with a client of others', async () => {
    const upload = await new Promise<Upload>((resolve, reject) => {
      const made: Upload = new Upload(Buffer.from(BUNDLE), {
        endpoint: `${api.url}/api/v1/runtimes/demo/uploads`,
        headers: api.asOwner,
        chunkSize: 400,
        metadata: { sha256: createHash('sha256').update(BUNDLE).digest('hex'), filename: 'é.krt' },
        onSuccess: () => resolve(made),
        onError: reject,
      })
      made.start()
    })
    expect((await tus.finish(new URL(upload.url ?? '').pathname)).status).toBe(201)
  })

  test('goes on where a cut connection left it', async () => {
    const path = await begin()
    const cut = tus.openPart(path, 0)
    cut.write(BUNDLE.slice(0, 500))
    await waitUntil('bytes on the disk', async () => (await partBytes()) === 500)
    cut.destroy()
    expect(await tus.offset(path)).toBe(500)
    expect((await tus.part(path, 500, BUNDLE.slice(500))).status).toBe(204)
    expect((await tus.finish(path)).status).toBe(201)
  })

  test('goes on although the server has not noticed the cut', async () => {
    const path = await begin()
    const hanging = tus.openPart(path, 0)
    hanging.write(BUNDLE.slice(0, 500))
    await waitUntil('bytes on the disk', async () => (await partBytes()) === 500)
    expect(await tus.offset(path)).toBe(500)
    expect((await tus.part(path, 500, BUNDLE.slice(500))).status).toBe(204)
    hanging.destroy()
  })

  test('goes on with another engine on the same store', async () => {
    const path = await begin()
    await tus.part(path, 0, BUNDLE.slice(0, 500))
    await using next = await startTestApi({ store: api.store })
    const other = tusOf(next)
    expect(await other.offset(path)).toBe(500)
    await other.part(path, 500, BUNDLE.slice(500))
    expect((await other.finish(path)).status).toBe(201)
  })

  test('goes through a proxy that knows POST alone', async () => {
    const path = await begin()
    const part = (offset: number, text: string) =>
      tus.posted(
        'PATCH',
        path,
        { 'content-type': 'application/offset+octet-stream', 'upload-offset': `${offset}` },
        text,
      )
    expect((await part(0, BUNDLE.slice(0, 500))).status).toBe(204)
    expect((await tus.posted('HEAD', path)).headers['upload-offset']).toBe('500')
    expect((await part(500, BUNDLE.slice(500))).status).toBe(204)
    expect((await tus.finish(path)).status).toBe(201)
    const other = await begin()
    expect((await tus.posted('DELETE', other)).status).toBe(204)
    expect(await tus.offset(other)).toBe(-404)
  })

  test('is the only thing whose method a header names', async () => {
    const path = await begin()
    expect((await tus.posted('PUT', path)).status).toBe(405)
    expect((await tus.posted('delete', path)).status).toBe(405)
    expect((await tus.posted('DELETE', '/api/v1/runtimes/demo/versions')).status).toBe(405)
    const unknown = tusOf(api, { authorization: 'Bearer wrong' })
    expect((await unknown.posted('DELETE', path)).status).toBe(401)
    expect(await tus.offset(path)).toBe(0)
  })

  test('can begin with its first part', async () => {
    const headers = { ...api.asOwner, 'tus-resumable': '1.0.0', 'upload-length': '5' }
    const { status, headers: answered } = await api.send('/api/v1/runtimes/demo/uploads', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/offset+octet-stream' },
      body: 'abc',
    })
    expect([status, answered['upload-offset']]).toEqual([201, '3'])
  })

  test('is found by the digest that was announced', async () => {
    await begin(BUNDLE, sha256Metadata(BUNDLE))
    const list = () => api.send('/api/v1/runtimes/demo/uploads', { headers: api.asOwner })
    expect(json((await list()).text)['uploads']).toMatchObject([
      { received: 0, bytes: BUNDLE.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ])
    api.clock.offsetMs = DAY_MS + 1
    expect(json((await list()).text)['uploads']).toEqual([])
  })

  test('is refused with all issues when it is no valid bundle', async () => {
    const text = JSON.stringify({ version: 'v1', issues: [anIssue] })
    const path = await begin(text)
    await tus.part(path, 0, text)
    for (let time = 0; time < 2; time += 1) {
      const answer = await tus.finish(path)
      expect([answer.status, json(answer.text)]).toMatchObject([422, { issues: [anIssue] }])
    }
    expect(await api.store.versions.list('demo')).toEqual([])
  })

  test('of which 20 are of one version: one wins', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const text = JSON.stringify({ version: 'v1', contents: `${i}` })
        const path = await begin(text)
        await tus.part(path, 0, text)
        return (await tus.finish(path)).status
      }),
    )
    expect(answers.toSorted((a, b) => a - b)).toEqual([201, ...Array<number>(19).fill(409)])
  })
})

describe('what is left of an upload', () => {
  test('is nothing when it is deleted, also in the middle of a part', async () => {
    const path = await begin()
    const hanging = tus.openPart(path, 0)
    hanging.write('x')
    await waitUntil('bytes on the disk', async () => (await partBytes()) === 1)
    expect((await tus.remove(path)).status).toBe(204)
    expect(await tus.offset(path)).toBe(-404)
    expect(await files()).toEqual([])
    hanging.destroy()
  })

  test('is nothing a day later', async () => {
    const path = await begin()
    api.clock.offsetMs = DAY_MS + 1
    expect(await tus.offset(path)).toBe(-404)
    // The sweep of a start.
    await using next = await startTestApi({
      store: api.store,
      now: () => new Date(Date.now() + DAY_MS + 1),
    })
    expect(next.url).not.toBe('')
    await waitUntil('an empty folder', async () => (await files()).length === 0)
  })

  test('is what came before a silence', async () => {
    await using impatient = await startTestApi({ uploadLimits: { idleMs: 50 } })
    await impatient.createRuntime()
    const client = tusOf(impatient)
    const path = (await client.create(10)).headers.location ?? ''
    const hanging = client.openPart(path, 0)
    const answered = new Promise<number>((resolve) => {
      hanging.on('response', (res) => resolve(res.resume().statusCode ?? 0))
    })
    hanging.write('abc')
    expect(await answered).toBe(408)
    expect(await client.offset(path)).toBe(3)
  })
})

describe('what is no upload', () => {
  test.each([
    ['a length that is none', { 'upload-length': '1e3' }, 400],
    ['a length below zero', { 'upload-length': '-1' }, 400],
    ['a length above the limit', { 'upload-length': String(10 * MiB + 1) }, 413],
    ['metadata that are none', { 'upload-metadata': 'a b c' }, 400],
    ['a digest that is none', { 'upload-metadata': 'sha256 eA==' }, 400],
    ['a digest twice', { 'upload-metadata': 'sha256 ,sha256 ' }, 400],
    ['metadata without end', { 'upload-metadata': `a ${'A'.repeat(5_000)}` }, 400],
    ['another version of tus', { 'tus-resumable': '2.0.0' }, 412],
  ])('is refused: %s', async (_, headers, status) => {
    expect((await tus.create(5, headers as Record<string, string>)).status).toBe(status)
    expect(await files()).toEqual([])
  })

  test('parts that do not fit are refused, and change nothing', async () => {
    const path = await begin('abcdef')
    await tus.part(path, 0, 'abc')
    const type = { 'content-type': 'text/plain' }
    const sha1 = `sha1 ${createHash('sha1').update('other').digest('base64')}`
    expect({
      elsewhere: (await tus.part(path, 2, 'c')).status,
      tooMuch: (await tus.part(path, 3, 'defg')).status,
      anotherType: (await tus.part(path, 3, 'def', type)).status,
      damaged: (await tus.part(path, 3, 'def', { 'upload-checksum': sha1 })).status,
      unknownSum: (await tus.part(path, 3, 'def', { 'upload-checksum': 'md5 eA==' })).status,
    }).toEqual({ elsewhere: 409, tooMuch: 413, anotherType: 415, damaged: 460, unknownSum: 400 })
    expect(await tus.offset(path)).toBe(3)
    const right = `sha256 ${createHash('sha256').update('def').digest('base64')}`
    expect((await tus.part(path, 3, 'def', { 'upload-checksum': right })).status).toBe(204)
  })

  test('half of it makes no version, other bytes than announced neither', async () => {
    const path = await begin(BUNDLE, sha256Metadata('other'))
    const early = await tus.finish(path)
    expect([early.status, json(early.text)['code']]).toEqual([409, 'UPLOAD_INCOMPLETE'])
    await tus.part(path, 0, BUNDLE)
    const damaged = await tus.finish(path)
    expect([damaged.status, json(damaged.text)['code']]).toEqual([400, 'DIGEST_MISMATCH'])
    // It can be sent again.
    expect(await tus.offset(path)).toBe(0)
    expect(await api.store.versions.list('demo')).toEqual([])
  })
})

describe('uploads of others', () => {
  test('are not there', async () => {
    await makeUser(api, 'eve@kre.io', { accessLevel: 'ADMIN' })
    const eve = tusOf(api, await bearerOf(api, 'eve@kre.io'))
    const path = await begin('abc')
    expect(await eve.offset(path)).toBe(-404)
    expect((await eve.part(path, 0, 'abc')).status).toBe(404)
    expect((await eve.remove(path)).status).toBe(404)
    expect((await eve.finish(path)).status).toBe(404)
    await api.createRuntime('other')
    expect(await tus.offset(path.replace('/demo/', '/other/'))).toBe(-404)
    expect(await tus.offset(path)).toBe(0)
  })

  test('leave room for those of each user', async () => {
    await makeUser(api, 'eve@kre.io', { accessLevel: 'MANAGER' })
    const eve = tusOf(api, await bearerOf(api, 'eve@kre.io'))
    const statuses = await Promise.all(
      Array.from({ length: 4 }, async () => (await tus.create(10 * MiB)).status),
    )
    expect(statuses.filter((status) => status === 201)).toHaveLength(1)
    expect(statuses.filter((status) => status === 429)).toHaveLength(3)
    expect((await eve.create(10 * MiB)).status).toBe(201)
    // A body without a length counts as the largest.
    const chunked = { ...api.asOwner, 'transfer-encoding': 'chunked' }
    const put = { method: 'PUT', headers: chunked, body: '{}' }
    expect((await api.send('/api/v1/runtimes/demo/versions', put)).status).toBe(429)
  })
})

test('a user has no more uploads than there are files for', async () => {
  for (let i = 0; i < 100; i += 1) await begin('x')
  expect((await tus.create(1)).status).toBe(429)
  const [first] = await api.store.uploads.list()
  await tus.remove(`/api/v1/runtimes/demo/uploads/${first?.id}`)
  expect((await tus.create(1)).status).toBe(201)
})

test('a runtime takes no more versions than its quota', async () => {
  for (const version of ['v1', 'v2', 'v3']) expect((await api.upload({ version })).status).toBe(201)
  const refused = await api.upload({ version: 'v4' })
  expect([refused.status, json(refused.text)['code']]).toEqual([409, 'VERSIONS_QUOTA'])
  // What is there already takes no room.
  expect((await api.upload({ version: 'v3' })).status).toBe(200)
})

async function partBytes(): Promise<number> {
  const [upload] = await api.store.uploads.list()
  return upload === undefined ? -1 : api.store.uploads.received(upload.id)
}
