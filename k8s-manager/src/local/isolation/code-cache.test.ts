import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type CodeCache, warmCodeCache } from './code-cache.ts'

const FOREIGN_UID = 1_900_000_001
const isRoot = process.getuid?.() === 0
let home: string
let shared: string
let cache: CodeCache
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'kre-code-'))
  const program = join(home, 'program.mjs')
  writeFileSync(program, 'export const answer = 42\n')
  shared = join(home, 'shared')
  cache = await warmCodeCache(shared, [process.execPath, program], {})
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** The only entry of the only folder of a cache. */
function entryOf(folder: string): string {
  const [name = ''] = readdirSync(folder)
  const [entry = ''] = readdirSync(join(folder, name))
  return join(folder, name, entry)
}

test('a replica has the code of the runner in a folder of its own', () => {
  const uid = isRoot ? FOREIGN_UID : null
  cache.give(join(home, 'first'), uid)
  const entry = entryOf(join(home, 'first'))
  expect(readFileSync(entry)).toEqual(readFileSync(entryOf(shared)))
  if (!isRoot) return
  const folder = statSync(join(entry, '..'))
  expect([folder.uid, folder.mode & 0o777]).toEqual([FOREIGN_UID, 0o755])
  // By the engine's file itself, which the replica can read and not write.
  expect(statSync(entry).ino).toBe(statSync(entryOf(shared)).ino)
  expect([statSync(entry).uid, statSync(entry).mode & 0o022]).toEqual([0, 0])
})

test('what a replica puts in place of it is its own, and stays at its next start', () => {
  cache.give(join(home, 'second'), null)
  const entry = entryOf(join(home, 'second'))
  expect(statSync(entry).ino).not.toBe(statSync(entryOf(shared)).ino)
  writeFileSync(`${entry}.new`, 'poison')
  renameSync(`${entry}.new`, entry)
  cache.give(join(home, 'second'), null)
  expect(readFileSync(entry, 'utf8')).toBe('poison')
  cache.give(join(home, 'third'), null)
  expect(readFileSync(entryOf(join(home, 'third')))).toEqual(readFileSync(entryOf(shared)))
})
