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
