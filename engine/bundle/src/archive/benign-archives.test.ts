import { execFileSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { create } from 'tar'
import { createContentStore } from '../contents/content-store.ts'
import { readDirectory } from '../directory/read-directory.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { temporaryFolder, writeFiles } from '../testing/temporary-folder.ts'
import { readArchive } from './read-archive.ts'
import { writeArchive, type WrittenArchive } from './write-archive.ts'

const FILES = {
  'kre.yaml': 'version: a\n',
  'src/é日本.py': 'print(1)\n',
  [`models/${'deep-folder/'.repeat(8)}weights.bin`]: Buffer.alloc(70_000, 'abc'),
  [`assets/${'l'.repeat(92)}.txt`]: 'long',
  'empty.txt': '',
}

/** Packs the folder with the tool; null where the machine does not have it. */
type Pack = (folder: string, archive: string) => void | Promise<void>

const gnu =
  (...options: string[]): Pack =>
  (folder, archive) => {
    execFileSync('tar', ['-cf', archive, ...options, '-C', folder, '.'])
  }

const python =
  (format: string): Pack =>
  (folder, archive) => {
    const script = `import sys, tarfile
with tarfile.open(sys.argv[2], "w:gz", format=tarfile.${format}) as t: t.add(sys.argv[1], ".")`
    execFileSync('python3', ['-I', '-c', script, folder, archive])
  }

const TOOLS: [string, string, Pack][] = [
  ['GNU tar, gnu format', 'tar', gnu('-z', '--format=gnu')],
  ['GNU tar, ustar format', 'tar', gnu('-z', '--format=ustar')],
  ['GNU tar, posix format', 'tar', gnu('-z', '--format=posix')],
  ['GNU tar, not compressed', 'tar', gnu()],
  ['GNU tar, big records', 'tar', gnu('-z', '--blocking-factor=2048')],
  ['Python tarfile, pax', 'python3', python('PAX_FORMAT')],
  ['Python tarfile, gnu', 'python3', python('GNU_FORMAT')],
  ['Python tarfile, ustar', 'python3', python('USTAR_FORMAT')],
  ['git archive', 'git', packWithGit],
  [
    'bsdtar',
    'bsdtar',
    (folder, archive) => void execFileSync('bsdtar', ['-czf', archive, '-C', folder, '.']),
  ],
  [
    'busybox tar',
    'busybox',
    (folder, archive) => void execFileSync('busybox', ['tar', '-czf', archive, '-C', folder, '.']),
  ],
  [
    'the tar package of npm',
    'node',
    (folder, archive) => create({ gzip: true, file: archive, cwd: folder }, ['.']),
  ],
  [
    'the tar package of npm, portable',
    'node',
    (folder, archive) => create({ gzip: true, portable: true, file: archive, cwd: folder }, ['.']),
  ],
]

function packWithGit(folder: string, archive: string): void {
  const git = (...args: string[]): void => {
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { cwd: folder })
  }
  git('init', '-q', '.')
  git('add', '-A', '.')
  git('commit', '-q', '-m', 'x')
  git('archive', '--format=tar.gz', '-o', archive, 'HEAD')
}

function isInstalled(tool: string): boolean {
  if (tool === 'node') return true
  try {
    execFileSync(tool, [tool === 'busybox' ? '--help' : '--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function canonical(
  root: string,
  name: string,
  source: string,
): Promise<WrittenArchive & { file: string }> {
  const contents = await createContentStore(join(root, `contents-${name}`))
  const read =
    source === 'directory'
      ? await readDirectory(join(root, 'bundle'), contents, DEFAULT_LIMITS)
      : await readArchive(createReadStream(source), contents, DEFAULT_LIMITS)
  const file = join(root, `${name}.krt`)
  return { ...(await writeArchive(read.files, contents, file)), file }
}

describe('the canonical archive', () => {
  for (const [tool, program, pack] of TOOLS) {
    const run = isInstalled(program) ? test : test.skip
    run(
      `is the same from a folder and from ${tool}${run === test ? '' : ` (no ${program})`}`,
      async () => {
        await using root = await temporaryFolder()
        const folder = join(root.path, 'bundle')
        await writeFiles(folder, FILES)
        const archive = join(root.path, 'packed')
        await pack(folder, archive)
        const expected = await canonical(root.path, 'folder', 'directory')
        const actual = await canonical(root.path, 'tool', archive)
        expect(actual.digest).toBe(expected.digest)
      },
    )
  }

  test('comes out of itself unchanged', async () => {
    await using root = await temporaryFolder()
    await writeFiles(join(root.path, 'bundle'), FILES)
    const first = await canonical(root.path, 'first', 'directory')
    const second = await canonical(root.path, 'second', first.file)
    expect(await readFile(second.file)).toEqual(await readFile(first.file))
  })

  test('has no times, owners or gzip name, and is sorted by bytes', async () => {
    await using root = await temporaryFolder()
    await writeFiles(join(root.path, 'bundle'), { 'kre.yaml': 'v', 'a/x': '', 'B/y': '', a0: '' })
    const { file } = await canonical(root.path, 'first', 'directory')
    const gzip = await readFile(file)
    expect(gzip.subarray(3, 8)).toEqual(Buffer.alloc(5))
    const listing = execFileSync('tar', ['-tvzf', file, '--full-time', '--utc'], {
      encoding: 'utf8',
    })
    expect(
      listing
        .trim()
        .split('\n')
        .map((line) => line.replace(/ +/g, ' ')),
    ).toEqual(
      ['B/y', 'a/x', 'a0', 'kre.yaml'].map(
        (path) => `-rw-r--r-- 0/0 ${path === 'kre.yaml' ? 1 : 0} 1970-01-01 00:00:00 ${path}`,
      ),
    )
  })

  test('lists alike under GNU tar and Python', async () => {
    await using root = await temporaryFolder()
    await writeFiles(join(root.path, 'bundle'), FILES)
    const { file } = await canonical(root.path, 'first', 'directory')
    const byGnu = execFileSync('tar', ['--quoting-style=literal', '-tzf', file], {
      encoding: 'utf8',
      env: { LC_ALL: 'C.UTF-8', PATH: '/usr/bin:/bin' },
    })
    const script = 'import sys, tarfile\nfor m in tarfile.open(sys.argv[1]): print(m.name)'
    const byPython = execFileSync('python3', ['-I', '-X', 'utf8', '-c', script, file], {
      encoding: 'utf8',
    })
    expect(byGnu).toBe(byPython)
    expect(byGnu.trim().split('\n')).toHaveLength(Object.keys(FILES).length)
  })
})
