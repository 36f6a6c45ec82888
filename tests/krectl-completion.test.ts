/** Completion as shells do it: their own functions are run, on the real program and the real admin API. */
import { execFile, execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { processStartTime } from '@kre/service-kit'
import {
  BOOTSTRAP_TOKEN,
  startTestApi,
  type TestApi,
} from '../engine/admin-api/src/testing/start-test-api.ts'
import { krectl } from '../engine/krectl/src/testing/krectl.ts'
import { root } from './support/kre.ts'

const run = promisify(execFile)
let api: TestApi
let folder = ''

beforeAll(async () => {
  api = await startTestApi()
  await writeFile(join(api.dataDir, 'token'), BOOTSTRAP_TOKEN)
  const record = {
    pid: process.pid,
    startTime: await processStartTime(process.pid),
    adminUrl: api.url,
    startedAt: new Date().toISOString(),
  }
  await writeFile(join(api.dataDir, 'engine.json'), JSON.stringify(record))
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

/** Completes a line as bash does at its end; words are cut as bash cuts them. */
async function complete(line: string): Promise<string[]> {
  const words = line.split(/(?<==)|(?==)| /)
  const script = `
    source completion.bash
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _krectl
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = await run('bash', ['--norc', '-c', script], {
    cwd: folder,
    env: {
      PATH: `${folder}:${process.env['PATH'] ?? ''}`,
      HOME: join(folder, 'home'),
      KRE_DATA: api.dataDir,
    },
  })
  expect(stderr.replaceAll(/.*compopt: not currently executing completion function\n/g, '')).toBe(
    '',
  )
  return stdout.split('\n').filter((word) => word !== '')
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

describe(`bash${why('bash')}`, () => {
  where('bash').each([
    ['krectl ru', ['runtime']],
    ['krectl runtime l', ['list', 'log-limits']],
    ['krectl version st', ['start', 'stop']],
    ['krectl version start --com', ['--comment']],
    ['krectl --json version start --no', ['--no-wait']],
    ['krectl runtime show ', ['demo', 'lab']],
    ['krectl runtime show d', ['demo']],
    ['krectl runtime create ', []],
    ['krectl version list -r ', ['demo', 'lab']],
    ['krectl version list --runtime=', ['demo', 'lab']],
    ['krectl version list --runtime=l', ['lab']],
    ['krectl version start -r demo ', ['hello-v2', 'hello-v1']],
    ['krectl version start --runtime demo hello-v1', ['hello-v1']],
    ['krectl version start --runtime=demo hello-v2', ['hello-v2']],
    ['krectl version start -r lab ', []],
    ['krectl version start ', []],
    ['krectl version start -r nowhere ', []],
    ['krectl version create -r demo a', ['a bundle.krt', 'a folder']],
    ['krectl --data a', ['a folder']],
    ['krectl completion ', ['bash', 'zsh', 'fish']],
    ['krectl completion b', ['bash']],
    ['krectl version start --comment ', []],
    ['krectl nonsense ', []],
  ])('%s', async (line, expected) => {
    const found = await complete(line)
    expect(found.toSorted()).toEqual(expected.toSorted())
  })

  where('bash')('offers every command and option of the program', async () => {
    expect(await complete('krectl ')).toEqual(
      expect.arrayContaining(['apply', 'profile', 'runtime', 'version', 'whoami']),
    )
    const options = await complete('krectl version logs -')
    expect(options).toEqual(expect.arrayContaining(['--follow', '-f', '--profile', '--json']))
  })

  where('bash')('is quiet where no engine answers', async () => {
    expect(await complete(`krectl --data ${folder} runtime show `)).toEqual([])
    expect(await complete('krectl --url http://kre.example runtime show ')).toEqual([])
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
