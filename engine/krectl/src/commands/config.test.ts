import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { krectl } from '../testing/krectl.ts'

const set = (...pairs: string[]) => krectl(['config', 'set', '-r', 'mine', 'v1', ...pairs])

test('a pair that is none is refused without being repeated, because it may be a value', async () => {
  const { code, stderr } = await set('CANARY-without-a-key')
  expect(code).toBe(2)
  expect(stderr).toContain('KEY=VALUE, KEY=@FILE or KEY=-')
  expect(stderr).not.toContain('CANARY')
})

test('standard input is one value', async () => {
  expect(await set('A=-', 'B=-')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('one key only'),
  })
})

test('a generation is a number', async () => {
  expect((await set('A=b', '--if-generation', 'x')).code).toBe(2)
})

test('keys are reset only by who says that values may be lost', async () => {
  const { code, stderr } = await krectl(['keys', 'reset'])
  expect(code).toBe(2)
  expect(stderr).toContain('--yes')
})

test('a value on the command line is taken, with a word of warning that does not repeat it', async () => {
  const { stderr } = await set('TOKEN=hunter2', 'NOTHING=')
  expect(stderr).toContain('TOKEN, NOTHING: lists of processes')
  expect(stderr).not.toContain('hunter2')
  const { stderr: quiet } = await set('TOKEN=hunter2', '--quiet')
  expect(quiet).not.toContain('lists of processes')
})

test('a file of values is read, and one that is wrong named by its line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'krectl-config-'))
  await writeFile(join(folder, 'good.env'), 'A=1\nB=2\n')
  await writeFile(join(folder, 'bad.env'), 'A=1\nhunter2\n')
  try {
    const from = (file: string) =>
      krectl(['config', 'set', '-r', 'x', 'y', '--env-file', file], { cwd: folder, stdin: 'A=1' })
    expect(await from('good.env')).toMatchObject({ code: 69 })
    expect(await from('-')).toMatchObject({ code: 69 })
    const bad = await from('bad.env')
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('bad.env:2:') })
    expect(bad.stderr).not.toContain('hunter2')
    expect(await from('none.env')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("none.env can't be read"),
    })
    expect(await set()).toMatchObject({ code: 2, stderr: expect.stringContaining('--env-file') })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
