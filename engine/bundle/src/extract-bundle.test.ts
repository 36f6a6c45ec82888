import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { createContentStore } from './contents/content-store.ts'
import { writeArchive } from './archive/write-archive.ts'
import { extractBundle } from './extract-bundle.ts'
import { krtOf } from './testing/build-tar.ts'
import { inChunks } from './testing/read-in-memory.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const FILES: Readonly<Record<string, string>> = {
  'kre.yaml': 'version: a\n',
  'src/a.py': 'print(1)\n',
  'bin/node': '#!/bin/sh\n',
  [`src/é/${'l'.repeat(120)}`]: 'deep',
}

async function writeSample(folder: string): Promise<{ archive: string; digest: string }> {
  const contents = await createContentStore(join(folder, 'contents'))
  const files = await Promise.all(
    Object.entries(FILES).map(async ([path, text]) => ({
      path,
      executable: path.startsWith('bin/'),
      ...(await contents.put(inChunks(Buffer.from(text)))),
    })),
  )
  const archive = join(folder, 'a.krt')
  return { archive, digest: (await writeArchive(files, contents, archive)).digest }
}

async function readTree(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const texts = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name)
      return [path.slice(folder.length + 1), await readFile(path, 'utf8')] as const
    }),
  )
  return Object.fromEntries(texts)
}

describe('extractBundle', () => {
  test('unpacks every file read-only, and programs executable', async () => {
    await using root = await temporaryFolder()
    const { archive, digest } = await writeSample(root.path)
    const target = join(root.path, 'bundles/one')
    await extractBundle(archive, `sha256:${digest}`, target)
    expect(await readTree(target)).toEqual(FILES)
    expect((await stat(join(target, 'src/a.py'))).mode & 0o777).toBe(0o444)
    expect((await stat(join(target, 'bin/node'))).mode & 0o777).toBe(0o555)
    expect(await readdir(join(root.path, 'bundles'))).toEqual(['one'])
  })

  test('leaves a folder alone that is there, and fills one that is empty', async () => {
    await using root = await temporaryFolder()
    const { archive, digest } = await writeSample(root.path)
    const target = join(root.path, 'one')
    await mkdir(target)
    await extractBundle(archive, digest, target)
    const { ino } = await stat(target)
    await extractBundle(archive, digest, target)
    expect((await stat(target)).ino).toBe(ino)
  })

  test('is whole after ten calls at once', async () => {
    await using root = await temporaryFolder()
    const { archive, digest } = await writeSample(root.path)
    const target = join(root.path, 'bundles/one')
    await Promise.all(Array.from({ length: 10 }, () => extractBundle(archive, digest, target)))
    expect(await readTree(target)).toEqual(FILES)
    expect(await readdir(join(root.path, 'bundles'))).toEqual(['one'])
  })

  test('refuses an archive with one flipped byte, and writes nothing', async () => {
    await using root = await temporaryFolder()
    const { archive, digest } = await writeSample(root.path)
    const bytes = await readFile(archive)
    bytes[40] = (bytes[40] ?? 0) ^ 1
    await writeFile(archive, bytes)
    await expect(extractBundle(archive, digest, join(root.path, 'x/y'))).rejects.toMatchObject({
      code: 'failed-precondition',
      details: { reason: 'DIGEST_MISMATCH', expected: digest },
    })
    expect(await readdir(root.path)).not.toContain('x')
  })

  test('refuses a hostile archive even under its right digest', async () => {
    await using root = await temporaryFolder()
    const archive = join(root.path, 'evil.krt')
    const bytes = krtOf([{ path: 'ok.py' }, { path: '../evil.py', content: 'x' }])
    await writeFile(archive, bytes)
    const digest = createHash('sha256').update(bytes).digest('hex')
    await expect(extractBundle(archive, digest, join(root.path, 'x/y'))).rejects.toMatchObject({
      code: 'failed-precondition',
      details: { reason: 'ARCHIVE_PATH' },
    })
    expect(await readdir(join(root.path, 'x'))).toEqual([])
    expect(await readdir(root.path)).not.toContain('evil.py')
  })
})
