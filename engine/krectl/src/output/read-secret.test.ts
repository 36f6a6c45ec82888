import { PassThrough } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { readSecret } from './read-secret.ts'

const { signal } = new AbortController()

/** A terminal at which somebody types, key by key. */
function terminal(keys: readonly string[]) {
  const modes: boolean[] = []
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => modes.push(raw),
  })
  for (const key of keys) stdin.write(key)
  return { stdin, stderr: new PassThrough(), signal, modes }
}

describe('a secret', () => {
  test('is all of standard input where nobody types', async () => {
    const stdin = new PassThrough()
    stdin.end('a-token\n')
    expect(await readSecret({ stdin, stderr: new PassThrough(), signal }, 'Token: ')).toBe(
      'a-token\n',
    )
  })

  test.each([
    [['a-token\r'], 'a-token'],
    [['a', '-', 't', '\n', 'more'], 'a-t'],
    [['abx', '\u007f', 'c\r'], 'abc'],
    [['\u0008', '\u0008', 'a\r'], 'a'],
  ])('is a line that is typed and not shown: %j', async (keys, expected) => {
    const at = terminal(keys)
    expect(await readSecret(at, 'Token: ')).toEqual(expected)
    expect(at.modes).toEqual([true, false])
    expect(String(at.stderr.read())).toBe('Token: \n')
  })

  test.each(['\u0003', 'abc\u0004'])(
    'is given up by %j, and the terminal is as before',
    async (key) => {
      const at = terminal([key])
      await expect(readSecret(at, 'Token: ')).rejects.toMatchObject({ code: 'cancelled' })
      expect(at.modes).toEqual([true, false])
    },
  )
})
