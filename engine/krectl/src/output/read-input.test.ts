import { PassThrough } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { readInput } from './read-input.ts'

function setUp(terminal: boolean) {
  const interrupt = new AbortController()
  const stdin = Object.assign(new PassThrough(), terminal ? { isTTY: true } : {})
  return { stdin, stderr: new PassThrough(), signal: interrupt.signal, interrupt }
}

describe('standard input', () => {
  test('is read to its end without a word where nobody types', async () => {
    const at = setUp(false)
    at.stdin.end('one\ntwo\n')
    expect(await readInput(at, 'it')).toBe('one\ntwo\n')
    expect(at.stderr.read()).toBeNull()
  })

  test('is asked for at a terminal', async () => {
    const at = setUp(true)
    at.stdin.end('x')
    await readInput(at, 'the value of KEY')
    expect(String(at.stderr.read())).toBe(
      'Type the value of KEY; Ctrl-D on a line of its own ends it\n',
    )
  })

  test.each([true, false])(
    'that does not end is left when the command is interrupted, at a terminal: %j',
    async (terminal) => {
      const at = setUp(terminal)
      const reading = readInput(at, 'it')
      at.stdin.write('half')
      at.interrupt.abort()
      await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
      expect(at.stdin.destroyed).toBe(true)
    },
  )
})
