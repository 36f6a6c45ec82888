import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { buildBundle, inspectBundle } from './build-bundle.ts'
import { SAMPLE_FILES } from './testing/sample-bundle.ts'
import { temporaryFolder, writeFiles } from './testing/temporary-folder.ts'

describe('buildBundle', () => {
  test('builds into the folder it packs, twice with one digest, and inspectBundle agrees', async () => {
    await using folder = await temporaryFolder()
    const directory = join(folder.path, 'bundle')
    const out = join(directory, 'bundle.krt')
    await writeFiles(directory, SAMPLE_FILES)
    const first = await buildBundle({ directory, out })
    const bytes = await readFile(out)
    const second = await buildBundle({ directory, out })
    if (!first.ok || !second.ok) throw new Error(JSON.stringify([first, second]))
    expect(second.digest).toBe(first.digest)
    expect(second.file).toBe(out)
    expect(await readFile(out)).toEqual(bytes)
    expect((await readdir(directory)).toSorted()).toEqual([
      'bundle.krt',
      'kre.yaml',
      'public_input.proto',
      'src',
    ])
    const checked = await inspectBundle(out)
    expect(checked).toEqual({ ok: true, facts: first.facts, issues: first.issues })
  })

  test('leaves an earlier archive in place when the folder has errors', async () => {
    await using folder = await temporaryFolder()
    const out = join(folder.path, 'a.krt')
    await writeFiles(folder.path, { 'bundle/kre.yaml': 'version: a\n', 'a.krt': 'earlier' })
    const result = await buildBundle({ directory: join(folder.path, 'bundle'), out })
    expect(result.ok).toBe(false)
    expect(await readFile(out, 'utf8')).toBe('earlier')
    expect((await readdir(folder.path)).toSorted()).toEqual(['a.krt', 'bundle'])
  })
})

describe('inspectBundle', () => {
  test('gives a folder and its archive the same verdict', async () => {
    await using folder = await temporaryFolder()
    await mkdir(join(folder.path, 'empty'))
    expect(await inspectBundle(join(folder.path, 'empty'))).toMatchObject({
      ok: false,
      issues: [{ code: 'MANIFEST_MISSING' }],
    })
  })

  test('throws not-found where nothing is', async () => {
    await expect(inspectBundle('/nowhere/at/all')).rejects.toMatchObject({ code: 'not-found' })
  })
})
