/** Tags and notes from real git repositories. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { krectl } from '../../engine/krectl/src/testing/krectl.ts'

const run = promisify(execFile)
const PATH = process.env['PATH'] ?? ''
let cwd: string

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'krectl-release-'))
  await git('init', '--quiet', '--initial-branch=main')
})
afterEach(async () => rm(cwd, { recursive: true, force: true }))

async function git(...args: string[]): Promise<void> {
  const who = [
    '-c',
    'user.name=Ada',
    '-c',
    'user.email=ada@example.com',
    '-c',
    'commit.gpgsign=false',
  ]
  await run('git', [...who, ...args], { cwd })
}

/** A commit of one file, and tags on it. */
async function commit(message: string, file: string, ...tags: string[]): Promise<void> {
  await mkdir(dirname(join(cwd, file)), { recursive: true })
  await writeFile(join(cwd, file), message)
  await git('add', '.')
  await git('commit', '--quiet', '-m', message)
  for (const tag of tags) await git('tag', tag)
}

const release = async (line: string) =>
  krectl(['release', ...line.split(' ')], { cwd, environment: { PATH } })

describe('krectl release next', () => {
  test('names the first alpha of a repository without a commit', async () => {
    expect(await release('next --alpha')).toEqual({ code: 0, stdout: 'v0.0-alpha.0\n', stderr: '' })
  })

  test('says all there is to know as JSON', async () => {
    await commit('Begin', 'a', 'v0.0-alpha.0', 'v0.0.0')
    const { stdout } = await release('next --release --json')
    expect(JSON.parse(stdout)).toEqual({
      kind: 'release',
      tag: 'v0.1.0',
      version: '0.1.0',
      branch: 'release-v0.1',
      isPrerelease: false,
      previous: 'v0.0.0',
    })
  })

  test('takes the line of a fix from the branch, from what it was made from, or from the option', async () => {
    await commit('Begin', 'a', 'v0.1.0')
    await git('branch', 'release-v0.1')
    await commit('Go on', 'b', 'v0.2.0')
    expect((await release('next --fix')).stdout).toBe('v0.2.1\n')
    expect((await release('next --fix --branch release-v0.1')).stdout).toBe('v0.1.1\n')
    await git('switch', '--quiet', 'release-v0.1')
    expect((await release('next --fix')).stdout).toBe('v0.1.1\n')
    await git('switch', '--quiet', '--create', 'fix/crash')
    await commit('Mend', 'c')
    expect((await release('next --fix')).stdout).toBe('v0.1.1\n')
  })

  test.each([
    ['next', 2, '--alpha, --release and --fix'],
    ['next --alpha --fix', 2, '--alpha, --release and --fix'],
    ['next --alpha --branch release-v0.1', 2, '--branch goes with --fix'],
    ['next --fix --major', 2, '--major goes with'],
    ['next --fix --branch main', 2, 'no release branch'],
    ['next --fix --branch release-v0.9', 1, 'v0.9 was never released'],
  ])('refuses "%s" with exit code %d', async (line, code, reason) => {
    await commit('Begin', 'a', 'v0.1.0')
    expect(await release(line)).toMatchObject({
      code,
      stdout: '',
      stderr: expect.stringContaining(reason),
    })
  })

  test('says that there is no repository, or no git', async () => {
    await rm(join(cwd, '.git'), { recursive: true })
    expect(await release('next --alpha')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not a git repository'),
    })
    const without = await krectl(['release', 'next', '--alpha'], {
      cwd,
      environment: { PATH: cwd },
    })
    expect(without).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('git is not on the PATH'),
    })
  })
})

test.each([
  ['release notes --alpha --major', '# KRE v1.0-alpha.0'],
  ['release notes --release', '# KRE v0.1.0'],
  ['release notes --fix --branch release-v0.0', '# KRE v0.0.1'],
])('krectl %s is of the tag that comes next', async (line, title) => {
  await commit('Begin', 'a', 'v0.0.0')
  const { stdout } = await krectl(line.split(' '), { cwd, environment: { PATH } })
  expect(stdout).toBe(`${title}\n\nWhat changed since v0.0.0.\n\nNothing but the tag.\n\n`)
  expect((await release('next --alpha --major')).stdout).toBe('v1.0-alpha.0\n')
})

test('krectl release notes tells what was committed behind the tag before', async () => {
  await commit('Begin', 'a', 'v0.0.0')
  await commit('Show "ñ" in the graph', 'admin-ui/src/ñ.ts')
  await commit('Mend the store\n\nBREAKING CHANGE: back up first.', 'engine/store/src/a.ts')
  const { code, stdout } = await release('notes --alpha')
  expect(code).toBe(0)
  const plain = stdout.replaceAll(/\([0-9a-f]{10}\)/g, '(HASH)')
  expect(plain).toBe(
    `# KRE v0.1-alpha.0

What changed since v0.0.0.

## Before you upgrade

- back up first. (HASH)

## Admin UI

- Show "ñ" in the graph (HASH)

## Engine

- Mend the store (HASH)

`,
  )
})
