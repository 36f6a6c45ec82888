/** For every archive that is accepted, the canonical one means the same to every reader there is. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { list } from 'tar'
import { createContentStore } from '../contents/content-store.ts'
import { BundleRejection } from '../issues.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { krtOf } from '../testing/build-tar.ts'
import { createRandom } from '../testing/fuzz.ts'
import { randomParts } from '../testing/random-bundle.ts'
import { inChunks } from '../testing/read-in-memory.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { readArchive, type ReadBundle } from './read-archive.ts'
import { writeArchive } from './write-archive.ts'

const COUNT = Number(process.env['KRE_LISTING_COUNT'] ?? 300)
const SEED = Number(process.env['KRE_FUZZ_SEED'] ?? 20_261_121)

/** Archive, path, size, executable or not, digest of the content. */
type Entry = [archive: string, path: string, size: number, executable: boolean, digest: string]

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const PYTHON = `
import hashlib, json, sys, tarfile
for name in json.load(sys.stdin):
    with tarfile.open(sys.argv[1] + "/" + name) as archive:
        for m in archive:
            assert m.isreg() and (m.uid, m.gid, m.mtime, m.uname, m.gname) == (0, 0, 0, "", ""), m
            content = archive.extractfile(m).read()
            print(json.dumps([name, m.name, m.size, m.mode == 0o755, hashlib.sha256(content).hexdigest()]))
`

function byPython(folder: string, names: readonly string[]): Entry[] {
  const output = execFileSync('python3', ['-I', '-X', 'utf8', '-c', PYTHON, folder], {
    input: JSON.stringify(names),
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Entry)
}

/** Names between NULs, as GNU tar's own listing can't tell a name's end from a line's. */
function byGnuTar(folder: string, name: string): [path: string, size: number, digest: string][] {
  const script = 'printf "%s\\0%s\\0%s\\0" "$TAR_FILENAME" "$TAR_SIZE" "$(sha256sum | cut -c1-64)"'
  const output = execFileSync('tar', ['-xzf', join(folder, name), `--to-command=${script}`], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
  })
  const fields = output.split('\0').slice(0, -1)
  return Array.from({ length: fields.length / 3 }, (_, i) => {
    const [path = '', size, digest = ''] = fields.slice(3 * i, 3 * i + 3)
    return [path, Number(size), digest]
  })
}

async function byNpmTar(folder: string, name: string): Promise<Entry[]> {
  const entries: Promise<Entry>[] = []
  await list({
    file: join(folder, name),
    strict: true,
    onReadEntry: (entry) => {
      const { path, size, mode } = entry
      entries.push(
        entry
          .concat()
          .then((content) => [name, path, size, mode === 0o755, sha256(Buffer.concat([content]))]),
      )
    },
  })
  return Promise.all(entries)
}

async function readOrNull(archive: Uint8Array, contents: string): Promise<ReadBundle | null> {
  await mkdir(contents)
  const store = await createContentStore(contents)
  try {
    return await readArchive(inChunks(archive), store, DEFAULT_LIMITS)
  } catch (thrown) {
    if (thrown instanceof BundleRejection) return null
    throw thrown
  }
}

test(`${COUNT} generated archives list alike under GNU tar, Python and the tar package`, async () => {
  await using root = await temporaryFolder()
  const expected: Entry[] = []
  for (let i = 0; i < COUNT; i += 1) {
    const contents = join(root.path, `contents-${i}`)
    const bundle = await readOrNull(krtOf(randomParts(createRandom(SEED + i))), contents)
    if (bundle === null) continue
    const name = `${i}.krt`
    const store = await createContentStore(contents)
    await writeArchive(bundle.files, store, join(root.path, name))
    const sorted = bundle.files.toSorted((a, b) =>
      Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
    )
    for (const { path, size, executable, sha256: digest } of sorted)
      expected.push([name, path, size, executable, digest])
  }
  const names = [...new Set(expected.map(([name]) => name))]
  expect(names.length).toBeGreaterThan(COUNT / 2)
  expect(byPython(root.path, names)).toEqual(expected)
  const ofNpm = await Promise.all(names.map((name) => byNpmTar(root.path, name)))
  expect(ofNpm.flat()).toEqual(expected)
  const ofGnu = names.flatMap((name) => byGnuTar(root.path, name).map((entry) => [name, ...entry]))
  expect(ofGnu).toEqual(expected.map(([name, path, size, , digest]) => [name, path, size, digest]))
}, 3_600_000)
