/** Options of krectl that no other test has a use for, with what they do. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { TestApi } from '../engine/admin-api/src/testing/start-test-api.ts'
import { krectl as runKrectl } from '../engine/krectl/src/testing/krectl.ts'
import { startKrectlApi } from './support/krectl-api.ts'

let api: TestApi
let cwd = ''
beforeAll(async () => {
  api = await startKrectlApi()
  await api.createRuntime('lab')
  cwd = await mkdtemp(join(tmpdir(), 'krectl-options-'))
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await rm(cwd, { recursive: true, force: true })
})

const krectl = (words: readonly string[], environment: Record<string, string> = {}, stdin = '') =>
  runKrectl(words, {
    cwd,
    stdin,
    environment: { KRE_DATA: api.dataDir, XDG_CONFIG_HOME: join(cwd, 'config'), ...environment },
  })
async function json<T>(...words: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await krectl([...words, '--json'])
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return JSON.parse(stdout) as T
}

test('version create --comment says in the audit log why', async () => {
  const bundle = join(cwd, 'v1.krt')
  await writeFile(bundle, JSON.stringify({ version: 'v1' }))
  await json('version', 'create', '-r', 'lab', bundle, '--comment', 'for the fair')
  const { code, stdout } = await krectl(['audit', 'list', '--type', 'CREATE_VERSION', '--all'])
  expect(code).toBe(0)
  expect(stdout).toContain('for the fair')
})

test('token create -o writes a token that is good into a file for its owner alone, and shows it nowhere', async () => {
  const file = join(cwd, 'token')
  const made = await krectl(['token', 'create', 'ci', '--read', '--days', '3', '-o', file])
  const token = (await readFile(file, 'utf8')).trim()
  expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining(file) })
  expect(token).toMatch(/^krt_/)
  expect(made.stdout + made.stderr).not.toContain(token)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const remote = ['--url', api.url, '--insecure-http', '--token-file', file]
  expect(await json('whoami', ...remote)).toMatchObject({ url: api.url })
  const refused = await krectl(['runtime', 'create', 'more', ...remote])
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('not allowed') })
  // Never over something that is there, and then no token is made.
  expect(await krectl(['token', 'create', 'second', '-o', file])).toMatchObject({ code: 2 })
  expect((await krectl(['token', 'list'])).stdout).not.toContain('second')
})

test('version logs takes nodes and workflows that the version has, and shows all lines with --all', async () => {
  const words = ['version', 'logs', '-r', 'lab', 'v1', '--all', '--until', '1m']
  const { data } = await api.graphql(
    '{ version(runtimeId: "lab", name: "v1") { workflows { name nodes { name } } } }',
  )
  const [workflow] = (data as unknown as { version: { workflows: Workflow[] } }).version.workflows
  const named = ['--workflow', workflow?.name ?? '', '--node', workflow?.nodes[0]?.name ?? '']
  expect(await krectl([...words, ...named])).toMatchObject({ code: 0, stdout: '' })
  expect(await krectl([...words, '--node', 'nobody'])).toMatchObject({ code: 1 })
  expect(await krectl([...words, '--workflow', 'nobody'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining(
      `version "v1" has no workflow "nobody"; there are: "${workflow?.name}"`,
    ),
  })
})
type Workflow = { name: string; nodes: { name: string }[] }

test('profile add --no-check takes an engine that does not answer', async () => {
  const words = ['profile', 'add', 'far', 'http://127.0.0.1:1', '--insecure-http']
  expect(await krectl(words, {}, 'krt_token')).toMatchObject({ code: 69 })
  expect(await krectl([...words, '--no-check'], {}, 'krt_token')).toMatchObject({ code: 0 })
  expect((await krectl(['profile', 'list'])).stdout).toContain('http://127.0.0.1:1')
})

test('krt takes its folder as an option, is strict when told so, and shows the manifest that it understood', async () => {
  const folder = join(cwd, 'mine')
  await json('krt', 'init', folder)
  const manifest = join(folder, 'kre.yaml')
  await writeFile(manifest, `${await readFile(manifest, 'utf8')}\nunheardOf: 1\n`)
  expect(await krectl(['krt', 'validate', folder, '--target', 'local'])).toMatchObject({ code: 0 })
  const strict = await krectl(['krt', 'validate', folder, '--strict'])
  expect(strict).toMatchObject({ code: 1, stderr: expect.stringContaining('unheardOf') })
  const file = join(cwd, 'mine.krt')
  await json('krt', 'build', '-i', folder, '-o', file)
  const { code, stdout } = await krectl(['krt', 'show', file, '--normalized'])
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('workflows:') })
})
