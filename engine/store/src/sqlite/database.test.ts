import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { openDatabase } from './database.ts'
import { toKreError } from './to-kre-error.ts'

const SCHEMA = ['CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT']

describe('openDatabase', () => {
  let dir = ''
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'kre-database-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  test('applies the steps of a schema once each, in order', () => {
    const path = join(dir, 'a.sqlite')
    openDatabase(path, SCHEMA).close()
    const steps = [...SCHEMA, 'ALTER TABLE t ADD COLUMN c TEXT', `INSERT INTO t (c) VALUES ('x')`]
    openDatabase(path, steps).close()
    const database = openDatabase(path, steps)
    expect(database.all('SELECT c FROM t').map((row) => row['c'])).toEqual(['x'])
    database.close()
  })

  test('leaves the schema as it was when a step fails', () => {
    const path = join(dir, 'a.sqlite')
    expect(() => openDatabase(path, [...SCHEMA, 'CREATE TABLE u (a); NONSENSE'])).toThrow(
      /NONSENSE/,
    )
    const database = openDatabase(path, SCHEMA)
    expect(database.get(`SELECT 1 FROM sqlite_schema WHERE name = 'u'`)).toBeNull()
    database.close()
  })

  test('is as it was when the process is killed in the middle of a step, which the next one does again', async () => {
    const path = join(dir, 'a.sqlite')
    const long = `CREATE TABLE u (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
      INSERT INTO u SELECT i FROM n`
    const module = JSON.stringify(new URL('database.ts', import.meta.url).href)
    const script = `import { openDatabase } from ${module}
      openDatabase(${JSON.stringify(path)}, ${JSON.stringify([...SCHEMA, long])})`
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script]
    const child = spawn(process.execPath, args, { stdio: 'inherit' })
    const ended = once(child, 'exit')
    // The step has no end: it is in the middle once it has written something.
    try {
      await waitUntil(
        'the step',
        () => (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 1_000_000,
      )
    } finally {
      child.kill('SIGKILL')
      await ended
    }
    const steps = [...SCHEMA, `CREATE TABLE u (a); INSERT INTO u VALUES ('x')`]
    const database = openDatabase(path, steps)
    expect(database.all('SELECT a FROM u').map((row) => row['a'])).toEqual(['x'])
    database.close()
  })

  test('keeps nothing of a transaction that throws', () => {
    const database = openDatabase(join(dir, 'a.sqlite'), SCHEMA)
    expect(() =>
      database.transaction(() => {
        database.run('INSERT INTO t (b) VALUES (?)', 'x')
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(database.all('SELECT * FROM t')).toEqual([])
    database.close()
  })

  test('says that the disk is full, keeps nothing of it, and goes on when there is space', () => {
    const database = openDatabase(join(dir, 'a.sqlite'), SCHEMA)
    const insertMuch = (): void =>
      database.transaction(() => {
        for (let i = 0; i < 100; i++) database.run('INSERT INTO t (b) VALUES (?)', 'x'.repeat(4096))
      })
    database.get('PRAGMA max_page_count = 20')
    expect(insertMuch).toThrow(
      expect.objectContaining({
        code: 'resource-exhausted',
        message: expect.stringMatching(/^STORAGE_FULL/),
      }),
    )
    expect(database.all('SELECT * FROM t')).toEqual([])
    database.get('PRAGMA max_page_count = 20000')
    insertMuch()
    expect(database.all('SELECT * FROM t')).toHaveLength(100)
    database.close()
  })
})

describe('toKreError', () => {
  test.each([
    [{ code: 'ENOSPC', message: 'no space' }, 'resource-exhausted', /^STORAGE_FULL/],
    [{ errcode: 13, message: 'full' }, 'resource-exhausted', /^STORAGE_FULL/],
    [{ errcode: 266, message: 'disk I/O error' }, 'unavailable', /check the disk/],
    [{ errcode: 267, message: 'malformed' }, 'unavailable', /is damaged/],
    [{ errcode: 5, message: 'locked' }, 'unavailable', /another process/],
    [{ errcode: 1032, message: 'readonly' }, 'unavailable', /opened for writing/],
    [{ code: 'EACCES', message: 'denied' }, 'unavailable', /opened for writing/],
    [new Error('odd'), 'internal', /odd/],
    ['odd', 'internal', /odd/],
  ])('turns %p into %s', (thrown, code, message) => {
    const error = toKreError(thrown, '/data/kre.sqlite')
    expect(error).toMatchObject({ code, cause: thrown })
    expect(error.message).toMatch(message)
    // Callers of the API read of a full disk, and of faults nothing.
    expect(error.message).toContain(code === 'resource-exhausted' ? 'for kre.sqlite' : '/data/kre')
    expect(error.message.includes('/data/')).toBe(code !== 'resource-exhausted')
  })
})
