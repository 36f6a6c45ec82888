import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openFolderUploadStore } from './folder-upload-store.ts'

let dir = ''

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-uploads-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const anUpload = () => ({
  id: randomUUID(),
  runtimeId: 'demo',
  user: 'ada@kre.io',
  bytes: 3,
  sha256: null,
  metadata: '',
  createdAt: new Date(),
  expiresAt: new Date(),
})

async function* chunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

test('an upload goes on after a restart', async () => {
  const upload = anUpload()
  {
    const uploads = await openFolderUploadStore(dir)
    await uploads.create(upload)
    await uploads.append(upload.id, 0, chunk('ab'))
  }
  const uploads = await openFolderUploadStore(dir)
  expect(await uploads.find(upload.id)).toEqual({ ...upload, outcome: null })
  expect(await uploads.append(upload.id, 2, chunk('c'))).toBe(3)
})

test('what a crash left of an upload is removed', async () => {
  const whole = anUpload()
  const uploads = await openFolderUploadStore(dir)
  await uploads.create(whole)
  await writeFile(join(dir, `${randomUUID()}.part`), 'no record')
  await writeFile(join(dir, `${whole.id}.json.draft`), '{')
  await writeFile(join(dir, `${randomUUID()}.json`), '{"id":')
  await writeFile(join(dir, `${randomUUID()}.json`), JSON.stringify({ ...whole, outcome: null }))
  await openFolderUploadStore(dir)
  expect((await readdir(dir)).toSorted()).toEqual([`${whole.id}.json`, `${whole.id}.part`])
})

test('nobody else can read the bytes', async () => {
  const upload = anUpload()
  await (await openFolderUploadStore(join(dir, 'new'))).create(upload)
  for (const [path, mode] of [
    ['new', 0o700],
    [`new/${upload.id}.part`, 0o600],
    [`new/${upload.id}.json`, 0o600],
  ] as const)
    // oxlint-disable-next-line no-bitwise -- permission bits
    expect((await stat(join(dir, path))).mode & 0o777).toBe(mode)
})
