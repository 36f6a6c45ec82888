import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { copyFile, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, test } from '@jest/globals'
import { storeContract } from '../testing/store-contract.ts'
import { sampleRuntime, sampleVersion } from '../testing/sample-records.ts'
import { openSqliteStore } from './open-sqlite-store.ts'

const dirs: string[] = []

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'kre-store-'))
  dirs.push(dir)
  return dir
}
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

storeContract('SQLite', () => openSqliteStore({ dataDir: join(newDir(), 'made', 'here') }))

describe('openSqliteStore', () => {
  test('keeps what was written, and empties the scratch folder', async () => {
    const dataDir = newDir()
    {
      await using store = await openSqliteStore({ dataDir })
      await store.runtimes.create(sampleRuntime())
      await writeFile(join(store.bundles.scratchDir, 'half'), 'x')
    }
    await using store = await openSqliteStore({ dataDir })
    expect(await store.runtimes.list()).toEqual([sampleRuntime()])
    expect(await readdir(store.bundles.scratchDir)).toEqual([])
  })

  test('removes archives that a crash left without their version', async () => {
    const dataDir = newDir()
    const [used, unused] = ['a', 'b'].map((letter) => letter.repeat(64))
    {
      await using store = await openSqliteStore({ dataDir })
      await store.runtimes.create(sampleRuntime())
      await store.versions.create(sampleVersion('v1', { bundleDigest: used ?? '' }))
      for (const digest of [used, unused])
        await writeFile(join(dataDir, 'bundles', `${digest}.krt`), 'archive')
    }
    await using store = await openSqliteStore({ dataDir })
    expect(await store.bundles.has(used ?? '')).toBe(true)
    expect(await store.bundles.has(unused ?? '')).toBe(false)
  })

  test('lets nobody else read its files', async () => {
    const dataDir = newDir()
    await using store = await openSqliteStore({ dataDir })
    await store.runtimes.create(sampleRuntime())
    const modeOf = async (path: string): Promise<string> =>
      ((await stat(path)).mode & 0o777).toString(8)
    expect(await modeOf(dataDir)).toBe('700')
    for (const name of await readdir(dataDir))
      expect([name, await modeOf(join(dataDir, name))]).toEqual([
        name,
        ['bundles', 'uploads'].includes(name) ? '700' : '600',
      ])
  })

  test('refuses a database of a newer engine and leaves it alone', async () => {
    const dataDir = newDir()
    await (await openSqliteStore({ dataDir }))[Symbol.asyncDispose]()
    const database = new DatabaseSync(join(dataDir, 'kre.sqlite'))
    database.exec('PRAGMA user_version = 999')
    database.close()
    await expect(openSqliteStore({ dataDir })).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining('has schema 999'),
    })
  })

  test.each(['kre.sqlite', 'outputs.sqlite', 'audit.sqlite'])(
    'says that %s is damaged',
    async (name) => {
      const dataDir = newDir()
      await (await openSqliteStore({ dataDir }))[Symbol.asyncDispose]()
      await writeFile(
        join(dataDir, name),
        'this is no database, whatever its name says'.repeat(300),
      )
      await expect(openSqliteStore({ dataDir })).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('is damaged'),
      })
    },
  )

  test('says that control data with flipped or missing bytes is damaged', async () => {
    const dataDir = newDir()
    await (await openSqliteStore({ dataDir }))[Symbol.asyncDispose]()
    const path = join(dataDir, 'kre.sqlite')
    {
      await using file = await open(path, 'r+')
      await file.write(Buffer.alloc(4096, 0xa5), 0, 4096, 2 * 4096)
    }
    await expect(openSqliteStore({ dataDir })).rejects.toMatchObject({ code: 'unavailable' })
    await truncate(path, 3 * 4096)
    await expect(openSqliteStore({ dataDir })).rejects.toMatchObject({ code: 'unavailable' })
  })

  test.each([
    ['gone', (path: string) => rm(path)],
    ['empty', (path: string) => truncate(path)],
  ])('is refused, and keeps its archives, when the control data is %s', async (_name, lose) => {
    const dataDir = newDir()
    const control = join(dataDir, 'kre.sqlite')
    const copy = join(newDir(), 'kre.sqlite')
    const bundleDigest = 'a'.repeat(64)
    {
      await using store = await openSqliteStore({ dataDir })
      await store.runtimes.create(sampleRuntime())
      await store.versions.create(sampleVersion('v1', { bundleDigest }))
      await writeFile(join(dataDir, 'bundles', `${bundleDigest}.krt`), 'archive')
    }
    await copyFile(control, copy)
    await lose(control)
    for (const _again of [1, 2])
      await expect(openSqliteStore({ dataDir })).rejects.toMatchObject({
        code: 'failed-precondition',
        message: expect.stringMatching(/kre\.sqlite is gone or empty, .*put it back/),
      })
    for (const other of ['outputs.sqlite', 'audit.sqlite']) await rm(join(dataDir, other))
    await expect(openSqliteStore({ dataDir })).rejects.toThrow(/and bundles beside it is not/)
    await copyFile(copy, control)
    await using store = await openSqliteStore({ dataDir })
    expect(await store.bundles.has(bundleDigest)).toBe(true)
  })

  test('says so when its folder is a file', async () => {
    const dataDir = join(newDir(), 'file')
    await writeFile(dataDir, '')
    await expect(openSqliteStore({ dataDir })).rejects.toMatchObject({ name: 'KreError' })
  })

  test('says that it is closed when it is used afterwards', async () => {
    const store = await openSqliteStore({ dataDir: newDir() })
    await store[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    await expect(store.runtimes.list()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('is closed'),
    })
  })

  test('is consistent after the process that wrote was killed', async () => {
    const dataDir = newDir()
    for (let round = 0; round < 3; round++) {
      const child = spawn(
        process.execPath,
        ['--no-warnings', join(import.meta.dirname, '../testing/write-until-killed.ts'), dataDir],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      // Each line names the number of a batch and of a release that were answered as stored.
      let answered = 0
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        const lines = text.split('\n')
        answered = Number(lines.at(-2) ?? 0)
        if (lines.length > 10 + 7 * round) child.kill('SIGKILL')
      })
      await once(child, 'close')
      await using store = await openSqliteStore({ dataDir })
      const release = await store.releases.current('demo')
      expect(answered).toBeGreaterThan(0)
      expect(release?.generation).toBeGreaterThanOrEqual(answered)
      const found = await store.outputs.findDocuments('demo', 'results', { part: 49 }, 1_000_000)
      expect(found.length).toBeGreaterThanOrEqual(answered)
      // A batch is there as a whole or not at all.
      const first = await store.outputs.findDocuments('demo', 'results', { part: 0 }, 1_000_000)
      expect(first).toHaveLength(found.length)
    }
  })
})
