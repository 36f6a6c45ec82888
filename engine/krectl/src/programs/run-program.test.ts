import { Writable } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { askProgram, formatCall, runProgram } from './run-program.ts'

function contextOf(signal = new AbortController().signal) {
  let shown = ''
  const stderr = new Writable({
    write(chunk: Buffer, _encoding, done) {
      shown += chunk.toString()
      done()
    },
  })
  const environment = { PATH: process.env['PATH'], SECRET: 'of the environment' }
  return { cwd: '/', environment, signal, stderr, shown: () => shown }
}
const sh = (script: string, more: object = {}) => ({
  program: '/bin/sh',
  args: ['-c', script],
  ...more,
})

describe('a program', () => {
  test('is shown on standard error, or answers', async () => {
    const context = contextOf()
    await runProgram(context, sh('echo out; echo err >&2'))
    expect(context.shown().split('\n').toSorted()).toEqual(['', 'err', 'out'])
    expect(await askProgram(context, sh('echo answer; echo noise >&2'))).toBe('answer')
  })

  test('has the environment, what is added to it, the folder and the input', async () => {
    const call = sh('echo "$SECRET $MORE $(pwd) $(cat)"', {
      environment: { MORE: 'more' },
      cwd: '/usr',
      input: 'read',
    })
    expect(await askProgram(contextOf(), call)).toBe('of the environment more /usr read')
  })

  test('gets words that no shell takes apart', async () => {
    const word = '$(touch /nowhere); `x` "y" \'z\' *'
    const call = { program: '/bin/sh', args: ['-c', 'printf %s "$1"', 'sh', word] }
    expect(await askProgram(contextOf(), call)).toBe(word)
  })

  test.each([
    ['exit 7', /ended with exit code 7$/],
    ['echo first; echo "the last words" >&2; exit 1', /ended with exit code 1: the last words$/],
    ['kill -KILL $$', /was ended by SIGKILL$/],
  ])('that does "%s" is an error with its reason', async (script, reason) => {
    await expect(runProgram(contextOf(), sh(script))).rejects.toThrow(reason)
  })

  test('that says much says its last words alone', async () => {
    const script = 'i=0; while [ $i -lt 3000 ]; do echo "line $i" >&2; i=$((i+1)); done; exit 1'
    const error: unknown = await askProgram(contextOf(), sh(script)).catch((reason) => reason)
    expect(String(error)).toContain('line 2999')
    expect(String(error).length).toBeLessThan(1_000)
  })

  test('that reads nothing is no failure', async () => {
    const call = sh('exec 0<&-; exit 0', { input: 'x'.repeat(1_000_000) })
    await expect(runProgram(contextOf(), call)).resolves.toBeUndefined()
  })

  test('that is not there is named, with how to get it', async () => {
    const context = { ...contextOf(), environment: { PATH: '/nowhere' } }
    await expect(runProgram(context, { program: 'helm', args: [] })).rejects.toThrow(
      /helm is not on the PATH, and this command needs it: install Helm 3/,
    )
  })

  test('ends with the command', async () => {
    const interrupt = new AbortController()
    const context = contextOf(interrupt.signal)
    const running = runProgram(context, sh('echo begun; exec sleep 600'))
    await waitUntil('begun', () => context.shown().includes('begun'))
    interrupt.abort()
    await expect(running).rejects.toThrow(/abort/i)
    await expect(runProgram(context, sh('true'))).rejects.toThrow(/abort/i)
  })
})

test('a call can be typed as it is shown', () => {
  expect(
    formatCall({ program: 'helm', args: ['a=b', "it's", ''], environment: { X: 'y z' } }),
  ).toBe(String.raw`X='y z' helm a=b 'it'\''s' ''`)
})
