import { connect } from 'node:net'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { anIssue, scriptedIngest } from '../testing/scripted-ingest.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import type { IngestBundle } from '../versions/ingest-bundle.ts'

let api: TestApi

/** Uploads whose first chunk reached the reader. */
let begun = 0
const countingIngest: IngestBundle = (source, options) => {
  source.stream.once('data', () => {
    begun += 1
  })
  source.stream.pause()
  return scriptedIngest(source, options)
}

beforeEach(async () => {
  begun = 0
  api = await startTestApi({ ingest: countingIngest })
  await api.createRuntime()
})
afterEach(() => api[Symbol.asyncDispose]())

const json = (text: string) => JSON.parse(text) as Record<string, never>
const path = '/api/v1/runtimes/demo/versions'

describe('PUT of a bundle', () => {
  test('answers 201 with the version and the warnings', async () => {
    const warning = { ...anIssue, level: 'warning' as const }
    const { status, text } = await api.upload({ version: 'v1', issues: [warning] })
    expect(status).toBe(201)
    expect(json(text)).toMatchObject({
      version: { name: 'v1', status: 'CREATED', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      issues: [warning],
    })
    expect(await api.scratchFiles()).toEqual([])
  })

  test('answers 422 with all issues of an invalid bundle, and leaves nothing', async () => {
    const { status, text } = await api.upload({ version: 'v1', issues: [anIssue, anIssue] })
    expect(status).toBe(422)
    expect(json(text)).toMatchObject({
      code: 'krt_validation_error',
      message: 'the bundle has 2 errors: no version was created',
      issues: [anIssue, anIssue],
    })
    expect(await api.store.versions.list('demo')).toEqual([])
    expect(await api.scratchFiles()).toEqual([])
  })

  test('answers 200 for the same bytes again, 409 for other bytes of the same name', async () => {
    const first = await api.upload({ version: 'v1' })
    const again = await api.upload({ version: 'v1' })
    expect(again.status).toBe(200)
    expect(json(again.text)['version']).toEqual(json(first.text)['version'])
    const other = await api.upload({ version: 'v1', contents: 'other' })
    expect(other.status).toBe(409)
    expect(json(other.text)).toMatchObject({
      code: 'VERSION_EXISTS',
      message: expect.stringContaining('"v1"'),
    })
    expect(await api.scratchFiles()).toEqual([])
  })

  test('lets one of 20 parallel uploads of a name win', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => api.upload({ version: 'v1', contents: `${i}` })),
    )
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    expect(statuses).toEqual([201, ...Array<number>(19).fill(409)])
    const [version] = await api.store.versions.list('demo')
    expect(await api.store.bundles.has(version?.bundleDigest ?? '')).toBe(true)
    expect(await api.scratchFiles()).toEqual([])
  })

  test('lets parallel uploads of the same bytes all succeed on one version', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => api.upload({ version: 'v1' })),
    )
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    expect(statuses).toEqual([...Array<number>(9).fill(200), 201])
    expect(await api.store.versions.list('demo')).toHaveLength(1)
  })

  test('reads nothing of the body for an unknown runtime, a form, or a size above the limit', async () => {
    const send = (to: string, headers: Record<string, string> = {}) =>
      api.send(to, { method: 'PUT', headers: { ...api.asOwner, ...headers }, body: '{}' })
    expect((await send('/api/v1/runtimes/none/versions')).status).toBe(404)
    expect((await send(path, { 'content-type': 'multipart/form-data; boundary=x' })).status).toBe(
      415,
    )
    expect((await send(`${path}?comment=${'c'.repeat(501)}`)).status).toBe(400)
    const tooLarge = await rawUpload(`Content-Length: ${513 * 1024 * 1024}`, '')
    expect(tooLarge).toContain('413 ')
    expect(tooLarge).toContain('ARCHIVE_TOO_LARGE')
    expect(begun).toBe(0)
  })

  test('tells a client that ends its connection why a large body is refused', async () => {
    // One write after the other, as simple clients do: none of them may fail.
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
    const failed = once(socket, 'error').then(([error]) => String(error))
    const answered = text(socket).catch((error: unknown) => String(error))
    const bytes = 5 * 1024 * 1024
    socket.write(
      `PUT /api/v1/runtimes/none/versions HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${api.asOwner['authorization']}\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`,
    )
    for (let sent = 0; sent < bytes; sent += 65_536) {
      socket.write(Buffer.alloc(65_536))
      await setImmediate()
    }
    const end = await Promise.race([failed, answered])
    expect(end).toMatch(/^HTTP\/1.1 404 /)
    socket.destroy()
  })

  test('asks a waiting client for the body only when the head is right', async () => {
    const accepted = await rawUpload(
      'Content-Length: 16\r\nExpect: 100-continue',
      '{"version":"v1"}',
    )
    expect(accepted).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 201 /)
    const refused = await rawUpload(
      'Content-Length: 16\r\nExpect: 100-continue',
      '',
      'Authorization: Bearer wrong',
    )
    expect(refused).toMatch(/^HTTP\/1.1 401 /)
  })

  test('leaves nothing of an upload that is broken off', async () => {
    const req = request(new URL(path, api.url), { method: 'PUT', headers: api.asOwner })
    req.on('error', () => undefined)
    req.write('{"version":')
    await waitUntil('the first chunk read', () => begun === 1)
    req.destroy()
    await waitUntil('an empty scratch folder', async () => (await api.scratchFiles()).length === 0)
    expect(await api.store.versions.list('demo')).toEqual([])
    expect((await api.upload({ version: 'v1' })).status).toBe(201)
  })

  test('a runtime deleted during the upload gets no version', async () => {
    const req = request(new URL(path, api.url), { method: 'PUT', headers: api.asOwner })
    req.write('{"version":')
    await waitUntil('the first chunk read', () => begun === 1)
    await api.graphql('mutation { deleteRuntime(input: {id: "demo", comment: "c"}) { id } }')
    const response = once(req, 'response')
    req.end('"v1"}')
    const [res] = (await response) as [IncomingMessage]
    res.resume()
    expect(res.statusCode).toBe(404)
    expect(await api.scratchFiles()).toEqual([])
  })
})

describe('downloads of a version', () => {
  test('are the canonical bundle and its descriptor set', async () => {
    await api.upload({ version: 'v1', contents: 'x' })
    const get = (what: string) => api.send(`${path}/v1/${what}`, { headers: api.asOwner })
    const bundle = await get('bundle')
    expect(bundle).toMatchObject({ status: 200, text: '{"version":"v1","contents":"x"}' })
    expect(bundle.headers).toMatchObject({
      'content-type': 'application/gzip',
      'content-disposition': 'attachment; filename="v1.krt"',
      'x-content-type-options': 'nosniff',
    })
    expect(await get('descriptor-set')).toMatchObject({ status: 200, text: 'descriptors' })
    expect((await api.send(`${path}/none/bundle`, { headers: api.asOwner })).status).toBe(404)
    expect((await api.send(`${path}/..%2Fv1/bundle`, { headers: api.asOwner })).status).toBe(404)
  })
})

/** Sends a head byte by byte as given, the body once it is asked for, and returns all that comes back. */
async function rawUpload(
  head: string,
  body: string,
  authorization = `Authorization: ${api.asOwner.authorization}`,
): Promise<string> {
  const { port } = new URL(api.url)
  const socket = connect(Number(port), '127.0.0.1')
  let received = ''
  socket.setEncoding('utf8')
  socket.on('data', (data: string) => {
    received += data
    if (received.endsWith('100 Continue\r\n\r\n')) socket.write(body)
  })
  socket.write(`PUT ${path} HTTP/1.1\r\nHost: localhost\r\n${authorization}\r\n${head}\r\n\r\n`)
  await waitUntil(
    'an answer',
    () => /HTTP\/1.1 [2-5]\d\d /.test(received) && received.endsWith('}\n'),
  )
  socket.destroy()
  return received
}
