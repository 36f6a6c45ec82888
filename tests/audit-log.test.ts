/** The command line's verbs about the audit log, against the real admin API. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { TestApi } from '../engine/admin-api/src/testing/start-test-api.ts'
import { krectl } from '../engine/krectl/src/testing/krectl.ts'
import { startKrectlApi } from './support/krectl-api.ts'

let api: TestApi
let scratch: string

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'kre-audit-'))
  api = await startKrectlApi()
  await api.createRuntime('demo')
  await api.operate('startVersion', 'nope', { comment: 'red\u001b[31m\nline' })
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await rm(scratch, { recursive: true, force: true })
})

const run = (...words: string[]) =>
  krectl(words, { cwd: scratch, environment: { KRE_DATA: api.dataDir } })

test('list shows who did what, on one line each', async () => {
  const { code, stdout } = await run('audit', 'list')
  expect(code).toBe(0)
  const [headers, start, creation, ...others] = stdout.trimEnd().split('\n')
  expect(others).toEqual([])
  expect(headers).toMatch(/^ID +DATE +USER +WHAT +OUTCOME/)
  expect(start).toMatch(/START_VERSION +REFUSED not-found .*VERSION_NAME=nope +red\\u\{1b\}/)
  expect(creation).toMatch(/dev@local.local +CREATE_RUNTIME +SUCCEEDED .*RUNTIME_ID=demo/)
})

test('list is narrowed, cut, and machine-readable', async () => {
  const { stdout } = await run('audit', 'list', '--json', '--type', 'CREATE_RUNTIME', '-r', 'demo')
  expect(JSON.parse(stdout)).toMatchObject([{ type: 'CREATE_RUNTIME', outcome: 'SUCCEEDED' }])
  expect(JSON.parse((await run('audit', 'list', '--json', '--limit', '1')).stdout)).toHaveLength(1)
  expect((await run('audit', 'list', '--user', 'eve@kre.io')).stdout).toContain('Nothing was done')
  const wrong = await run('audit', 'list', '--from', 'yesterday')
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('fromDate')])
})

test('export writes JSON lines, to a file of its own or to standard output', async () => {
  const { code, stdout } = await run('audit', 'export')
  expect(code).toBe(0)
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, undefined])
  expect((await run('audit', 'export', '-o', 'audit.jsonl')).code).toBe(0)
  const file = join(scratch, 'audit.jsonl')
  expect(await readFile(file, 'utf8')).toBe(stdout)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await run('audit', 'export', '-o', 'audit.jsonl')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('EEXIST'),
  })
})

test('verify knows the head of an earlier export, and names what was changed since', async () => {
  const good = await run('audit', 'verify', '--export', 'audit.jsonl')
  expect(good.code).toBe(0)
  expect(good.stdout).toMatch(/^Genuine and complete: 4 links/)
  const head = /--head: (\S+)/.exec(good.stdout)?.[1] ?? ''
  expect((await run('audit', 'verify', '--head', head)).code).toBe(0)

  const database = new DatabaseSync(join(api.dataDir, 'audit.sqlite'))
  database.exec(`UPDATE links SET actor = 'eve@kre.io' WHERE seq = 2`)
  database.close()
  const bad = await run('audit', 'verify', '--json')
  expect(bad.code).toBe(1)
  expect(JSON.parse(bad.stdout)).toMatchObject({ ok: false, firstBadSeq: 2 })
  expect(bad.stderr).toContain('from link 2 on')
})

test.each([
  [['--head', '7'], 'is not what'],
  [['--export', 'missing.jsonl'], 'is no export'],
  [['--head', `1:${'0'.repeat(64)}`, '--export', 'x'], 'not both'],
])('verify %j is wrong usage', async (words, message) => {
  const { code, stderr } = await run('audit', 'verify', ...words)
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
})
