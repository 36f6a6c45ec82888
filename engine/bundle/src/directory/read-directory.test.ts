import { execFileSync } from 'node:child_process'
import { chmod, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { ReadBundle } from '../archive/read-archive.ts'
import { BundleRejection } from '../issues.ts'
import { type BundleLimits, lowerLimits } from '../limits.ts'
import { createMemoryStore } from '../testing/read-in-memory.ts'
import { temporaryFolder, writeFiles } from '../testing/temporary-folder.ts'
import { readDirectory } from './read-directory.ts'

type Files = Record<string, string>

async function read(
  files: Files,
  {
    prepare,
    limits = {},
    leaveOut = [],
  }: {
    prepare?: (root: string) => Promise<unknown> | void
    limits?: Partial<BundleLimits>
    leaveOut?: string[]
  } = {},
): Promise<ReadBundle | BundleRejection> {
  await using folder = await temporaryFolder()
  await writeFiles(folder.path, files)
  await prepare?.(folder.path)
  try {
    return await readDirectory(
      folder.path,
      createMemoryStore(),
      lowerLimits(limits),
      leaveOut.map((path) => join(folder.path, path)),
    )
  } catch (thrown) {
    if (thrown instanceof BundleRejection) return thrown
    throw thrown
  }
}

async function pathsOf(...args: Parameters<typeof read>): Promise<string[]> {
  const result = await read(...args)
  if (result instanceof BundleRejection) throw result
  return result.files.map(({ path }) => path)
}

describe('readDirectory', () => {
  test('leaves out version control, installed packages and caches at any depth', async () => {
    const files = {
      'kre.yaml': '',
      '.git/config': '',
      'src/node_modules/x/index.js': '',
      'src/__pycache__/a.pyc': '',
      '.venv/bin/python': '',
      'src/.DS_Store': '',
      'src/._a.py': '',
      'src/a.py': '',
    }
    expect(await pathsOf(files)).toEqual(['kre.yaml', 'src/a.py'])
  })

  test('honours .krtignore with the patterns of gitignore', async () => {
    const files = {
      '.krtignore': '# notes\n*.log\n/data/\n!keep.log\nbuild\n',
      'kre.yaml': '',
      'a.log': '',
      'keep.log': '',
      'data/raw.csv': '',
      'src/data/ok.csv': '',
      'src/build/x': '',
    }
    expect(await pathsOf(files)).toEqual(['.krtignore', 'keep.log', 'kre.yaml', 'src/data/ok.csv'])
  })

  test('leaves out what its caller names', async () => {
    const files = { 'kre.yaml': '', 'out.krt': '', 'tmp/x': '' }
    expect(await pathsOf(files, { leaveOut: ['out.krt', 'tmp'] })).toEqual(['kre.yaml'])
  })

  test.each([
    [
      'a link to a file outside',
      (root: string) => symlink('/etc/passwd', join(root, 'src/evil.py')),
    ],
    ['a link to a file inside', (root: string) => symlink('a.py', join(root, 'src/evil.py'))],
    ['a link to a folder', (root: string) => symlink('/etc', join(root, 'src/evil.py'))],
    ['a dangling link', (root: string) => symlink('nowhere', join(root, 'src/evil.py'))],
    ['a named pipe', (root: string) => void execFileSync('mkfifo', [join(root, 'src/evil.py')])],
  ])('refuses %s and names it', async (_what, prepare) => {
    const result = await read({ 'src/a.py': '' }, { prepare })
    expect(result).toMatchObject({
      issue: { code: 'ARCHIVE_TYPE', message: expect.stringContaining('src/evil.py') },
    })
  })

  test('does not mind a link that .krtignore leaves out', async () => {
    const prepare = (root: string) => symlink('/etc', join(root, 'etc'))
    expect(await pathsOf({ '.krtignore': 'etc\n', 'a.py': '' }, { prepare })).toEqual([
      '.krtignore',
      'a.py',
    ])
  })

  test('keeps the executable bit', async () => {
    const prepare = (root: string) => chmod(join(root, 'bin/node'), 0o755)
    const result = await read({ 'bin/node': '', 'a.py': '' }, { prepare })
    expect(result).toMatchObject({
      files: [
        { path: 'a.py', executable: false },
        { path: 'bin/node', executable: true },
      ],
    })
  })

  test.each([
    ['.env', true],
    ['deploy/.env.production', true],
    ['.env.example', false],
    ['certs/server.pem', true],
    ['id_rsa', true],
    ['id_rsa.pub', false],
    ['src/key.py', false],
    ['server.key', true],
  ])('looks at %s: secret %s', async (path, secret) => {
    const result = await read({ [path]: '' })
    if (result instanceof BundleRejection) throw result
    expect(result.issues.map(({ code, level, file }) => ({ code, level, file }))).toEqual(
      secret ? [{ code: 'FILE_SECRET', level: 'warning', file: path }] : [],
    )
  })

  test('applies the rules of paths and sizes that archives have', async () => {
    expect(await read({ 'a:b': '' })).toMatchObject({ issue: { code: 'ARCHIVE_PATH' } })
    expect(await read({ 'A.py': '', 'a.py': '' })).toMatchObject({
      issue: { code: 'ARCHIVE_DUPLICATE' },
    })
    expect(await read({ a: '', b: '' }, { limits: { entriesMax: 1 } })).toMatchObject({
      issue: { code: 'ARCHIVE_TOO_MANY' },
    })
    expect(await read({ a: '123' }, { limits: { uncompressedBytesMax: 2 } })).toMatchObject({
      issue: { code: 'ARCHIVE_TOO_LARGE' },
    })
  })
})
