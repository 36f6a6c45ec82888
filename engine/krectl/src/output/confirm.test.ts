import { PassThrough } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { confirm } from './confirm.ts'
import { Interrupted } from './exit-code.ts'

const { signal } = new AbortController()
/** A terminal at which somebody types. */
function terminal(typed: string) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  stdin.end(typed)
  return { stdin, stderr: new PassThrough(), signal }
}
const script = { stdin: new PassThrough(), stderr: new PassThrough(), signal }

describe('a question', () => {
  test.each(['y\n', 'Y\n', 'yes\n', ' Yes \n'])('is answered by %j', async (typed) => {
    const at = terminal(typed)
    await confirm(at, 'It will be gone', { yes: undefined })
    expect(String(at.stderr.read())).toContain('It will be gone. Go on? [y/N]')
  })

  test.each(['n\n', '\n', 'yep\n', 'no, y\n'])('%j is no answer to it', async (typed) => {
    await expect(confirm(terminal(typed), 'x', { yes: undefined })).rejects.toMatchObject({
      code: 'cancelled',
    })
  })

  test('is left by Ctrl-C, which a terminal hands over as a letter', async () => {
    const at = { ...terminal('\u0003'), stderr: Object.assign(new PassThrough(), { isTTY: true }) }
    await expect(confirm(at, 'x', { yes: undefined })).rejects.toThrow(Interrupted)
  })

  test('that nobody answers is none: Ctrl-D', async () => {
    await expect(confirm(terminal(''), 'x', { yes: undefined })).rejects.toMatchObject({
      code: 'cancelled',
    })
  })

  test('is not asked when --yes was said, or nobody is there', async () => {
    await confirm(terminal(''), 'x', { yes: true })
    await confirm(script, 'x', { yes: undefined })
    await confirm(script, 'x', { yes: true, always: true })
  })

  test('is a refusal where nobody is there and the line does not say what is meant', async () => {
    await expect(confirm(script, 'x', { yes: undefined, always: true })).rejects.toThrow('--yes')
  })
})
