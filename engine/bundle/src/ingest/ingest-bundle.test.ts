import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { BundleFacts, type KrtIssue } from '@kre/contracts'
import { describe, expect, test } from '@jest/globals'
import { krtOf } from '../testing/build-tar.ts'
import { inChunks } from '../testing/read-in-memory.ts'
import { SAMPLE_FILES, SAMPLE_MANIFEST } from '../testing/sample-bundle.ts'
import { temporaryFolder, writeFiles } from '../testing/temporary-folder.ts'
import { type CheckOptions, ingestBundle, type IngestResult } from './ingest-bundle.ts'

type Files = Readonly<Record<string, string | Uint8Array>>
type Accepted = Extract<IngestResult, { ok: true }>

function krt(files: Files): Buffer {
  return krtOf(Object.entries(files).map(([path, content]) => ({ path, content })))
}

/** Ingests and looks at what is left in the scratch folder. */
async function ingest(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  options: Omit<CheckOptions, 'scratchDir'> = {},
): Promise<{ result: IngestResult; left: string[]; archive: Buffer | null }> {
  await using scratch = await temporaryFolder()
  const stream = source instanceof Uint8Array ? inChunks(source) : source
  const result = await ingestBundle({ stream }, { ...options, scratchDir: scratch.path })
  const archive = result.ok ? await readFile(result.file) : null
  return { result, left: await readdir(scratch.path), archive }
}

function accepted(result: IngestResult): Accepted {
  if (!result.ok) throw new Error(JSON.stringify(result.issues))
  return result
}

function issuesOf(result: IngestResult): KrtIssue[] {
  if (result.ok) throw new Error('the bundle was accepted')
  return result.issues
}

describe('ingestBundle', () => {
  test('answers with the facts and the canonical archive, and leaves nothing else', async () => {
    const { result, left, archive } = await ingest(krt(SAMPLE_FILES))
    const { facts, digest, bytes, file } = accepted(result)
    expect(BundleFacts.parse(facts)).toEqual(facts)
    expect(facts.methods).toEqual([
      {
        path: '/digits.Entrypoint/Classify',
        rpc: 'Classify',
        requestType: 'digits.Image',
        responseType: 'digits.Digit',
        workflow: 'intake',
      },
    ])
    expect(facts.files).toEqual(Object.keys(SAMPLE_FILES).toSorted())
    const set = fromBinary(FileDescriptorSetSchema, Buffer.from(facts.descriptorSet, 'base64'))
    expect(set.file.map(({ name }) => name)).toEqual(['public_input.proto'])
    expect(digest).toMatch(/^[0-9a-f]{64}$/)
    expect(archive).toHaveLength(bytes)
    expect(left).toEqual([file.slice(file.lastIndexOf('/') + 1)])
  })

  test('gives one digest for a folder, a file and an upload, again and again', async () => {
    await using folder = await temporaryFolder()
    const bundle = join(folder.path, 'bundle')
    const scratchDir = join(folder.path, 'scratch')
    await writeFiles(bundle, SAMPLE_FILES)
    const fromFolder = accepted(await ingestBundle({ directory: bundle }, { scratchDir }))
    const fromFile = accepted(await ingestBundle({ file: fromFolder.file }, { scratchDir }))
    const stream = createReadStream(fromFile.file, { highWaterMark: 100 })
    const fromStream = accepted(await ingestBundle({ stream }, { scratchDir }))
    expect([fromFile.digest, fromStream.digest]).toEqual([fromFolder.digest, fromFolder.digest])
    expect(fromStream.facts).toEqual(fromFolder.facts)
  })

  test('puts another version name into the packed manifest, and changes nothing else', async () => {
    await using folder = await temporaryFolder()
    const { result, archive } = await ingest(krt(SAMPLE_FILES), { versionName: 'other-v9' })
    expect(accepted(result).facts.manifest.version).toBe('other-v9')
    await writeFile(join(folder.path, 'a.krt'), archive ?? '')
    const manifest = execFileSync('tar', ['-xOzf', join(folder.path, 'a.krt'), 'kre.yaml'])
    expect(manifest.toString()).toBe(
      SAMPLE_MANIFEST.replace('version: intake-v3 #', 'version: other-v9 #'),
    )
  })

  test('refuses a version name that is none', async () => {
    const { result } = await ingest(krt(SAMPLE_FILES), { versionName: 'no "name" at: all\n' })
    expect(issuesOf(result)).toMatchObject([{ code: 'NAME_INVALID', line: 2 }])
  })
})

describe('ingestBundle on machines and people', () => {
  test('answers when the validator takes too long, and leaves nothing', async () => {
    const { result, left } = await ingest(krt(SAMPLE_FILES), { limits: { workMs: 1 } })
    expect(issuesOf(result)).toMatchObject([{ code: 'VALIDATION_FAILED', level: 'error' }])
    expect(left).toEqual([])
  })

  const linuxTest = process.platform === 'linux' ? test : test.skip
  linuxTest('answers when its process is killed in the middle of an upload', async () => {
    const before = await childrenOfThisProcess()
    let killed = 0
    async function* stalled(): AsyncGenerator<Uint8Array> {
      yield krt(SAMPLE_FILES).subarray(0, 100)
      for (const pid of await childrenOfThisProcess())
        if (!before.includes(pid)) {
          process.kill(pid, 'SIGKILL')
          killed += 1
        }
      await new Promise(() => undefined)
    }
    const { result, left } = await ingest(stalled())
    expect(killed).toBe(1)
    expect(issuesOf(result)).toMatchObject([
      { code: 'VALIDATION_FAILED', message: expect.stringContaining('SIGKILL') },
    ])
    expect(left).toEqual([])
  })

  test('does not count the time an uploader takes', async () => {
    async function* slow(): AsyncGenerator<Uint8Array> {
      const archive = krt(SAMPLE_FILES)
      yield archive.subarray(0, 50)
      await sleep(300)
      yield archive.subarray(50)
    }
    accepted((await ingest(slow())).result)
  })

  test('stops on abort, kills its process and leaves nothing', async () => {
    await using scratch = await temporaryFolder()
    const abort = new AbortController()
    const returned = Promise.withResolvers<void>()
    const stream = {
      async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
        try {
          yield krt(SAMPLE_FILES).subarray(0, 100)
          for (;;) {
            abort.abort(new Error('the user went away'))
            await sleep(5)
            yield Buffer.alloc(0)
          }
        } finally {
          returned.resolve()
        }
      },
    }
    await expect(
      ingestBundle({ stream }, { scratchDir: scratch.path, signal: abort.signal }),
    ).rejects.toMatchObject({ code: 'cancelled' })
    expect(await readdir(scratch.path)).toEqual([])
    await returned.promise
  })

  test('refuses to begin when it is aborted already', async () => {
    await using scratch = await temporaryFolder()
    const signal = AbortSignal.abort()
    await expect(
      ingestBundle({ stream: inChunks(Buffer.alloc(0)) }, { scratchDir: scratch.path, signal }),
    ).rejects.toMatchObject({ code: 'cancelled' })
    expect(await readdir(scratch.path)).toEqual([])
  })

  test('passes on what the upload throws, and leaves nothing', async () => {
    await using scratch = await temporaryFolder()
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield krt(SAMPLE_FILES).subarray(0, 100)
      throw await Promise.resolve(new Error('connection reset'))
    }
    await expect(ingestBundle({ stream: broken() }, { scratchDir: scratch.path })).rejects.toThrow(
      'connection reset',
    )
    expect(await readdir(scratch.path)).toEqual([])
  })

  test('stops reading an upload that was refused at its first bytes', async () => {
    let sent = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent += 65_536
        yield await Promise.resolve(randomBytes(65_536))
      }
    }
    const { result } = await ingest(endless())
    expect(issuesOf(result)).toMatchObject([{ code: 'ARCHIVE_FORMAT' }])
    expect(sent).toBeLessThan(64_000_000)
  })

  test.each([
    ['a folder', { directory: '/nowhere/at/all' }],
    ['a file', { file: '/nowhere/at/all.krt' }],
  ])('throws not-found for %s that is not there', async (_what, source) => {
    await using scratch = await temporaryFolder()
    await expect(ingestBundle(source, { scratchDir: scratch.path })).rejects.toMatchObject({
      code: 'not-found',
    })
    expect(await readdir(scratch.path)).toEqual([])
  })

  test('refuses limits above the defaults', async () => {
    await using scratch = await temporaryFolder()
    await expect(
      ingestBundle(
        { directory: '/' },
        { scratchDir: scratch.path, limits: { entriesMax: 10_001 } },
      ),
    ).rejects.toMatchObject({ code: 'invalid-argument' })
  })

  test('takes uploads side by side', async () => {
    await using scratch = await temporaryFolder()
    const results = await Promise.all(
      [1, 2, 3].map(() =>
        ingestBundle({ stream: inChunks(krt(SAMPLE_FILES)) }, { scratchDir: scratch.path }),
      ),
    )
    expect(new Set(results.map((result) => accepted(result).digest)).size).toBe(1)
    expect(await readdir(scratch.path)).toHaveLength(3)
  })
})

const canMount = spawnSync('sh', [
  '-c',
  'd=$(mktemp -d) && mount -t tmpfs tmpfs $d && umount $d; s=$?; rmdir $d; exit $s',
])
const mountTest = canMount.status === 0 ? test : test.skip

describe('ingestBundle on a full disk', () => {
  mountTest(
    `throws STORAGE_FULL, and works again afterwards${canMount.status === 0 ? '' : ' (no right to mount)'}`,
    async () => {
      await using folder = await temporaryFolder()
      const disk = join(folder.path, 'disk')
      await mkdir(disk)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk])
      try {
        const big = krt({ ...SAMPLE_FILES, 'model.bin': randomBytes(2_000_000) })
        await expect(
          ingestBundle({ stream: inChunks(big) }, { scratchDir: disk }),
        ).rejects.toMatchObject({ code: 'resource-exhausted', details: { reason: 'STORAGE_FULL' } })
        expect(await readdir(disk)).toEqual([])
        accepted(await ingestBundle({ stream: inChunks(krt(SAMPLE_FILES)) }, { scratchDir: disk }))
      } finally {
        execFileSync('umount', [disk])
      }
    },
  )
})

async function childrenOfThisProcess(): Promise<number[]> {
  const tasks = await readdir('/proc/self/task')
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/self/task/${task}/children`, 'utf8').catch(() => '')),
  )
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number))
}
