/**
 * Every bundle of the hostile corpus against the real reader: each gets one clear answer, at a bounded cost, and
 * leaves nothing. A share of them goes through processes of their own, all of them with KRE_HOSTILE_ALL=1.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { ISSUE_CODES, KiB, KrtIssue } from '@kre/contracts'
import { runJob } from '../../engine/bundle/src/ingest/run-job.ts'
import type { HostLine } from '../support/hostile-host.ts'
import { HOSTILE_CORPUS } from './corpus/hostile-corpus.ts'
import { bundleOf, type HostileInput } from './corpus/hostile-input.ts'

const HOST = join(import.meta.dirname, '../support/hostile-host.ts')
/** One in twelve of the cheap ones: a process for each takes a second. */
const SHARE = process.env['KRE_HOSTILE_ALL'] === '1' ? 1 : 12
const COSTLY = /^(?:bomb|source|model|proto)/
const HOSTS = Math.min(4, availableParallelism())
/** Young objects in large spaces are no memory that is held. */
const HOST_FLAGS = ['--no-warnings', '--max-semi-space-size=4']
const HOST_MS = 900_000
const CPU_MS_MAX = 5_000
const RESIDENT_KIB_MAX = 300 * KiB
const ISSUE_CHARACTERS_MAX = 2_000
/** Comes last. */
const GOOD = 'a good one'
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u

function expectTypedAnswer({ code, place }: HostileInput, issues: readonly KrtIssue[]): void {
  const errors = issues.filter(({ level }) => level === 'error')
  const found = errors.filter((issue) => issue.code === code)
  expect(errors.map((issue) => issue.code)).toContain(code)
  if (place !== undefined)
    expect(found.flatMap(({ file, line }) => [file, `${file}:${line}`])).toContain(place)
  for (const issue of issues) {
    expect(ISSUE_CODES).toHaveProperty(issue.code)
    const { message, hint = '', path } = KrtIssue.parse(issue)
    expect(`${message}${hint}${path}`).not.toMatch(UNPRINTABLE)
    expect(message.length).toBeLessThan(ISSUE_CHARACTERS_MAX)
  }
}

/** Some of the corpus and a good bundle. @returns the names of the inputs by those of their files. */
async function writeBundles(folder: string): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  const write = async (name: string, bytes: Uint8Array): Promise<void> => {
    const file = `${String(names.size).padStart(4, '0')}.krt`
    names.set(file, name)
    await writeFile(join(folder, file), bytes)
  }
  for (const [index, { name, bytes }] of HOSTILE_CORPUS.entries())
    if (index % SHARE === 0 || COSTLY.test(name)) await write(name, bytes())
  await write(GOOD, bundleOf({}))
  return names
}

async function runHost(folder: string, index: number): Promise<HostLine[]> {
  const host = spawn(
    process.execPath,
    [...HOST_FLAGS, HOST, folder, String(index), String(HOSTS)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exit = once(host, 'exit')
  let output = ''
  for await (const text of host.stdout.setEncoding('utf8')) output += text
  expect(await exit).toEqual([0, null])
  return output
    .split('\n')
    .filter(Boolean)
    .map((text) => JSON.parse(text) as HostLine)
}

test('the corpus has at least 160 inputs, each with a name and a code of its own', () => {
  expect(HOSTILE_CORPUS.length).toBeGreaterThanOrEqual(160)
  expect(new Set(HOSTILE_CORPUS.map(({ name }) => name)).size).toBe(HOSTILE_CORPUS.length)
  for (const { code } of HOSTILE_CORPUS) expect(ISSUE_CODES).toHaveProperty(code)
})

test.each(HOSTILE_CORPUS.filter(({ name }) => !name.startsWith('source')))(
  'the reader refuses $name, always with the same words',
  async (input) => {
    const scratch = await mkdtemp(join(tmpdir(), 'kre-corpus-'))
    async function* upload(): AsyncGenerator<Uint8Array> {
      const bytes = input.bytes()
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
    }
    try {
      const job = { source: { kind: 'stdin' as const }, archive: null, versionName: null }
      const answer = await runJob({ ...job, scratch, strict: false, limits: {} }, upload())
      if (answer.kind !== 'rejected') throw new Error(`it was ${answer.kind}`)
      expectTypedAnswer(input, answer.issues)
    } finally {
      await rm(scratch, { recursive: true })
    }
  },
)

const linux = process.platform === 'linux' ? describe : describe.skip
linux(`a process that takes in ${SHARE === 1 ? 'all of them' : 'a share of them'}`, () => {
  const lines = new Map<string, HostLine>()
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kre-corpus-'))
    try {
      const names = await writeBundles(folder)
      const hosts = Array.from({ length: HOSTS }, (_, index) => runHost(folder, index))
      for (const line of (await Promise.all(hosts)).flat())
        lines.set(names.get(line.name) ?? '', line)
    } finally {
      await rm(folder, { recursive: true })
    }
  }, HOST_MS)

  test('gives a typed answer to each, with its place', () => {
    expect(lines.size).toBeGreaterThanOrEqual(100)
    for (const input of HOSTILE_CORPUS) {
      const line = lines.get(input.name)
      if (line === undefined) continue
      expect([input.name, line.ok, line.fault]).toEqual([input.name, false, undefined])
      expectTypedAnswer(input, line.issues)
    }
  })

  test('spends at most 5 s of computing on each', () => {
    const slow = [...lines].filter(([, { cpuMs }]) => cpuMs > CPU_MS_MAX)
    expect(slow.map(([name, { cpuMs }]) => [name, cpuMs])).toEqual([])
  })

  test('stays within 300 MiB, the validators included', () => {
    const large = [...lines].filter(
      ([, { childKiB, hostKiB }]) => childKiB + hostKiB > RESIDENT_KIB_MAX,
    )
    expect(large.map(([name, { childKiB, hostKiB }]) => [name, childKiB, hostKiB])).toEqual([])
  })

  test('has nothing left in its scratch folder', () => {
    for (const [name, { ok, left }] of lines)
      expect([name, left.length]).toEqual([name, ok ? 1 : 0])
  })

  test('goes on to take in a good one', () => {
    expect(lines.get(GOOD)).toMatchObject({ ok: true, issues: [] })
  })
})
