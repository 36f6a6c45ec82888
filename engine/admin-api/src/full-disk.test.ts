/** The disk under the engine's data fills up: what can't be kept is refused whole, what is there is read, and all goes on. */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmdirSync, writeSync } from 'node:fs'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { ingestBundle } from '@kre/bundle'
import { KiB, MiB, MINUTE_MS } from '@kre/contracts'
import { sampleLog } from '@kre/store/testing'
import { bearerOf, makeUser, type Headers } from './testing/people.ts'
import { smallBundle } from './testing/small-bundle.ts'
import { startTestApi, type TestApi } from './testing/start-test-api.ts'
import { tusOf } from './testing/tus.ts'

const disk = mkdtempSync(join(tmpdir(), 'kre-full-disk-'))
const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk])
const isMounted = status === 0
const diskTest = isMounted ? test : test.skip
afterAll(() => {
  if (isMounted) execFileSync('umount', ['--lazy', disk])
  rmdirSync(disk)
})

/** Takes every page that is left. @returns gives them back. */
function fillUp(): () => Promise<void> {
  const path = join(disk, 'filler')
  const file = openSync(path, 'w')
  try {
    const block = Buffer.alloc(4 * KiB, 'x')
    for (;;) writeSync(file, block)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  } finally {
    closeSync(file)
  }
  return () => rm(path)
}

/** Reads the answer also where the engine does not wait for all of the part. */
async function sendPart(req: ClientRequest, body: Uint8Array) {
  const answered = once(req, 'response')
  req.end(body)
  const [response] = (await answered) as [IncomingMessage]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode, text }
}

/** A bundle that does not fit into what a full disk still has. */
async function largeBundle(api: TestApi): Promise<Buffer> {
  await mkdir(join(api.dataDir, 'small'))
  await writeFile(join(api.dataDir, 'small/model.bin'), randomBytes(600 * KiB))
  return smallBundle(api)
}

diskTest(
  `a full disk refuses and forgets nothing${isMounted ? '' : ' (no right to mount a small one)'}`,
  async () => {
    await using api = await startTestApi({ ingest: ingestBundle }, disk)
    const full = { message: expect.stringMatching(/STORAGE_FULL no space is left for \w+/) }
    const createRuntime = async (id: string) => (await api.createRuntime(id)).errors?.[0]
    const runtimes = async (headers: Headers = api.asOwner) =>
      (await api.graphql('{ runtimes { id } }', {}, headers)).data?.['runtimes']
    const put = (body: Buffer) =>
      api.send('/api/v1/runtimes/demo/versions', { method: 'PUT', headers: api.asOwner, body })
    const bundle = await largeBundle(api)
    const tus = tusOf(api)
    const append = (path: string, from: number, to: number) =>
      sendPart(tus.openPart(path, from), bundle.subarray(from, to))
    expect(await createRuntime('demo')).toBeUndefined()
    await makeUser(api, 'ada@kre.io', { accessLevel: 'ADMIN' })
    const ada = await bearerOf(api, 'ada@kre.io')
    const upload = (await tus.create(bundle.length)).headers.location ?? ''
    expect(await append(upload, 0, 100_000)).toMatchObject({ status: 204 })

    const free = fillUp()
    const refused = await createRuntime('other')
    expect(refused?.message).toMatch(/STORAGE_FULL no space is left for audit\.sqlite: free space/)
    const inOnePiece = await put(bundle)
    expect([inOnePiece.status, JSON.parse(inOnePiece.text)]).toMatchObject([507, full])
    const part = await append(upload, 100_000, bundle.length)
    expect([part.status, JSON.parse(part.text)]).toMatchObject([507, full])
    await expect(api.store.outputs.write([sampleLog('1')])).rejects.toMatchObject({
      code: 'resource-exhausted',
    })
    // Also for those whose last request would be written down.
    api.clock.offsetMs = 5 * MINUTE_MS
    expect(await runtimes(ada)).toEqual([{ id: 'demo' }])
    expect(await api.store.versions.list('demo')).toEqual([])
    expect(await readdir(api.store.bundles.scratchDir)).toEqual([])
    expect(await api.store.logRetention.usage('demo')).toEqual({ lines: 0, bytes: 0 })
    const received = await tus.offset(upload)
    expect(received).toBeGreaterThanOrEqual(100_000)
    expect(received).toBeLessThan(bundle.length)

    await free()
    expect(await createRuntime('other')).toBeUndefined()
    expect(await runtimes(ada)).toEqual([{ id: 'demo' }, { id: 'other' }])
    expect(await append(upload, received, bundle.length)).toMatchObject({ status: 204 })
    expect((await tus.finish(upload)).status).toBe(201)
    expect((await put(bundle)).status).toBe(200)
    expect(await api.store.outputs.write([sampleLog('1')])).toEqual([{ id: '1', stored: true }])
    const { data } = await api.graphql('{ auditIntegrity { ok } }')
    expect(data?.['auditIntegrity']).toEqual({ ok: true })
  },
)

diskTest('uploads leave the engine the room to end them', async () => {
  await using api = await startTestApi({}, disk)
  const tus = tusOf(api)
  const refused = {
    message: expect.stringContaining('STORAGE_FULL no space is left for uploads'),
  }
  expect((await api.createRuntime('demo')).errors).toBeUndefined()
  const tooLarge = await tus.create(12 * MiB)
  expect([tooLarge.status, JSON.parse(tooLarge.text)]).toMatchObject([507, refused])

  const [one = '', other = ''] = await Promise.all(
    [1, 2].map(async () => (await tus.create(7 * MiB)).headers.location),
  )
  const body = randomBytes(7 * MiB)
  expect((await sendPart(tus.openPart(one, 0), body)).status).toBe(204)
  const part = await sendPart(tus.openPart(other, 0), body)
  expect([part.status, JSON.parse(part.text)]).toMatchObject([507, refused])
  expect((await api.createRuntime('other')).errors).toBeUndefined()
  expect((await tus.remove(one)).status).toBe(204)
  const received = await tus.offset(other)
  expect((await sendPart(tus.openPart(other, received), body.subarray(received))).status).toBe(204)
})
