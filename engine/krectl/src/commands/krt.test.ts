import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { krectl } from '../testing/krectl.ts'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'krt ü-'))
})
afterEach(async () => rm(cwd, { recursive: true, force: true }))

const krt = (...words: string[]) => krectl(['krt', ...words], { cwd })

describe('krt', () => {
  test.each(['typescript', 'python'])(
    'makes a bundle of the template %s that is valid, and builds the same bytes twice',
    async (template) => {
      expect(await krt('init', 'Mein Bündel', '--template', template)).toMatchObject({ code: 0 })
      expect((await krt('validate', 'Mein Bündel', '--target', 'local')).stdout).toMatch(
        new RegExp(`^Version "mein-b-ndel-v1" is valid.*greet .*${template}`, 's'),
      )
      const digests: string[] = []
      for (const output of ['a.krt', 'Mein Bündel/b.krt', 'c.krt']) {
        const { stdout } = await krt('build', 'Mein Bündel', '-o', output, '--json')
        digests.push((JSON.parse(stdout) as { digest: string }).digest)
      }
      expect(new Set(digests).size).toBe(1)
      expect((await krt('show', 'a.krt')).stdout).toContain('hello.GreetRequest')
    },
  )

  test('names what it builds after the version, or as it is told', async () => {
    await krt('init', 'mine')
    expect(JSON.parse((await krt('build', 'mine', '--json')).stdout)).toMatchObject({
      file: join(cwd, 'mine-v1.krt'),
      version: 'mine-v1',
    })
    const other = await krt('build', 'mine', '-o', 'x.krt', '-v', 'mine-v2', '--json')
    expect(JSON.parse(other.stdout)).toMatchObject({ version: 'mine-v2' })
  })

  test('lists all problems with their places, and says by its exit code that there are some', async () => {
    await krt('init', 'mine')
    const file = join(cwd, 'mine', 'kre.yaml')
    const text = await readFile(file, 'utf8')
    await writeFile(
      file,
      text.replace('src/clean.ts', 'src/a.ts').replace('src/greet.ts', 'src/b.ts'),
    )
    const { code, stderr } = await krt('validate', 'mine')
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^kre\.yaml:\d+:\d+ error .*src\/a\.ts.*\nkre\.yaml:\d+:\d+ error .*src\/b\.ts/,
    )
    const { stdout } = await krt('validate', 'mine', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ valid: false, issues: [{}, {}] })
  })

  test.each([
    ['init over a folder with something in it', ['init', '.'], 'not empty'],
    ['init over a file', ['init', 'file'], 'is a file'],
    [
      'build into a folder that is not there',
      ['build', 'mine', '-o', 'no/x.krt'],
      'no such file or folder',
    ],
    ['validate what is not there', ['validate', 'nowhere'], 'no such file or folder'],
    ['validate what is no archive', ['validate', 'file'], 'not a tar archive'],
  ])('refuses to %s', async (_what, words, reason) => {
    await krt('init', 'mine')
    await writeFile(join(cwd, 'file'), 'text')
    const { code, stderr } = await krt(...words)
    expect(code).toBe(1)
    expect(stderr).toContain(reason)
  })

  test('writes types for the messages of a bundle', async () => {
    await krt('init', 'mine')
    expect(await krt('types', 'mine')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('mine/gen/public_input_pb.d.ts'),
    })
  })
})
