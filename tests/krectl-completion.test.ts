/** Completion as shells do it: their own functions are run, on the real program and the real admin API. */
import { execFile, execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { TestApi } from '../engine/admin-api/src/testing/start-test-api.ts'
import { krectl } from '../engine/krectl/src/testing/krectl.ts'
import { root } from './support/kre.ts'
import { startKrectlApi } from './support/krectl-api.ts'

const run = promisify(execFile)
let api: TestApi
let folder = ''

beforeAll(async () => {
  api = await startKrectlApi()
  for (const id of ['demo', 'lab']) await api.createRuntime(id)
  await api.upload({ version: 'hello-v1' })
  await api.upload({ version: 'hello-v2' })
  folder = await mkdtemp(join(tmpdir(), 'krectl-completion-'))
  // As it is found on the PATH.
  const main = join(root, 'engine/krectl/src/main.ts')
  const program = `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${main}' "$@"\n`
  await writeFile(join(folder, 'krectl'), program)
  await chmod(join(folder, 'krectl'), 0o755)
  await mkdir(join(folder, 'home'))
  await mkdir(join(folder, 'a folder'))
  await writeFile(join(folder, 'a bundle.krt'), '')
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await krectl(['completion', shell])
    expect(code).toBe(0)
    await writeFile(join(folder, `completion.${shell}`), stdout)
  }
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const environment = () => ({
  PATH: `${folder}:${process.env['PATH'] ?? ''}`,
  HOME: join(folder, 'home'),
  KRE_DATA: api.dataDir,
})

async function said(shell: string, args: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await run(shell, [...args], { cwd: folder, env: environment() })
  const noise = /.*compopt: not currently executing completion function\n/g
  expect(stderr.replaceAll(noise, '')).toBe('')
  return stdout.split('\n').filter((word) => word !== '')
}

/** What each shell offers at the end of a line. */
const COMPLETE: Readonly<Record<string, (line: string) => Promise<string[]>>> = {
  /** Words are cut as bash cuts them. */
  bash(line) {
    const words = line.split(/(?<==)|(?==)| /)
    const script = `
      source completion.bash
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _krectl
      printf '%s\\n' "\${COMPREPLY[@]}"`
    return said('bash', ['--norc', '-c', script])
  },
  /** The function alone, as its widgets need a terminal: what it adds is printed and cut down as zsh would. */
  async zsh(line) {
    const words = line.split(' ')
    const script = `
      compdef() { }
      compset() { }
      compadd() { if [[ $1 == -a ]]; then print -rl -- \${(P)2}; else shift; print -rl -- "$@"; fi }
      source ./completion.zsh
      words=(${words.map((word) => `'${word}'`).join(' ')})
      CURRENT=$#words
      _krectl`
    const typed = words.at(-1)?.split('=').at(-1) ?? ''
    return (await said('zsh', ['-f', '-c', script])).filter((word) => word.startsWith(typed))
  },
  async fish(line) {
    const script = `source completion.fish; complete -C '${line}'`
    const rows = await said('fish', ['--no-config', '-c', script])
    // The word with its meaning behind it.
    return rows.map((row) => row.split('\t')[0]?.split('=').at(-1) ?? '')
  },
}

const has = (shell: string): boolean => {
  try {
    execFileSync(shell, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false // it is not on this computer
  }
}
const where = (shell: string) => (has(shell) ? test : test.skip)
const why = (shell: string) =>
  has(shell) ? '' : ` (skipped: there is no ${shell} on this computer)`

/** In all shells. */
const LINES: readonly (readonly [line: string, words: readonly string[]])[] = [
  ['krectl ru', ['runtime']],
  ['krectl runtime l', ['list', 'log-limits']],
  ['krectl version start --com', ['--comment']],
  ['krectl --json version start --no', ['--no-wait']],
  ['krectl runtime show d', ['demo']],
  ['krectl version list -r ', ['demo', 'lab']],
  ['krectl version list --runtime=l', ['lab']],
  ['krectl version start -r demo ', ['hello-v2', 'hello-v1']],
  ['krectl version start --runtime=demo hello-v2', ['hello-v2']],
  ['krectl version start --comment ', []],
  ['krectl completion ', ['bash', 'zsh', 'fish']],
]
const IN_BASH: typeof LINES = [
  ['krectl version st', ['start', 'stop']],
  ['krectl runtime create ', []],
  ['krectl version list --runtime=', ['demo', 'lab']],
  ['krectl version start --runtime demo hello-v1', ['hello-v1']],
  ['krectl version start ', []],
  ['krectl version start -r nowhere ', []],
  ['krectl version create -r demo a', ['a bundle.krt', 'a folder']],
  ['krectl --data a', ['a folder']],
  ['krectl nonsense ', []],
]

describe.each(['bash', 'zsh', 'fish'])('%s', (shell) => {
  where(shell).each([...LINES, ...(shell === 'bash' ? IN_BASH : [])])(
    `${shell}${why(shell)}: %s`,
    async (line, expected) => {
      const found = (await COMPLETE[shell]?.(line)) ?? []
      expect(found.toSorted()).toEqual([...expected].toSorted())
    },
  )

  where(shell)('offers every command and option of the program', async () => {
    expect(await COMPLETE[shell]?.('krectl ')).toEqual(
      expect.arrayContaining(['apply', 'profile', 'runtime', 'version', 'whoami']),
    )
    expect(await COMPLETE[shell]?.('krectl version logs --')).toEqual(
      expect.arrayContaining(['--follow', '--profile', '--json', '--help']),
    )
  })

  where(shell)('is quiet where no engine answers', async () => {
    expect(await COMPLETE[shell]?.(`krectl --data ${folder} runtime show `)).toEqual([])
    expect(await COMPLETE[shell]?.('krectl --url http://kre.example runtime show ')).toEqual([])
  })
})

describe('the scripts', () => {
  test.each([
    ['bash', ['-n', 'completion.bash']],
    ['zsh', ['-n', 'completion.zsh']],
    ['fish', ['--no-execute', 'completion.fish']],
  ])('are %s', async (shell, args) => {
    if (!has(shell)) {
      process.stderr.write(`skipped: there is no ${shell} on this computer\n`)
      return
    }
    await run(shell, args, { cwd: folder })
  })
})
