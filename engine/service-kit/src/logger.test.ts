import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { expect, test } from '@jest/globals'
import { KreError } from '@kre/contracts'
import { createLogger } from './logger.ts'

function logged(fields: object): Record<string, unknown> {
  const lines: string[] = []
  const logger = createLogger('test', { destination: { write: (line) => void lines.push(line) } })
  logger.warn(fields, 'something failed')
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>
}

test.each(['error', 'err'])(
  'an error under "%s" is logged with its message and its stack',
  (name) => {
    const error = new KreError('unavailable', 'the store is away', { table: 'runs' })
    expect(logged({ [name]: error })[name]).toMatchObject({
      message: 'the store is away',
      code: 'unavailable',
      stack: expect.stringContaining('logger.test.ts'),
    })
  },
)

test('what is thrown and is no error is logged as it is', () => {
  expect(logged({ error: 'text' })['error']).toBe('text')
})

test('secrets are masked', () => {
  expect(logged({ token: 't', user: { password: 'p' } })).toMatchObject({
    token: '[Redacted]',
    user: { password: '[Redacted]' },
  })
})

/** Only there a full disk is a file. */
const onLinux = process.platform === 'linux' ? test : test.skip

onLinux.each([
  ['./logger.ts', 'createLogger'],
  ['./runner/json-logger.ts', 'createJsonLogger'],
])('a process lives on when its log is on a full disk: %s', async (file, create) => {
  const script = `
    import { ${create} } from '${new URL(file, import.meta.url).href}'
    const logger = ${create}('test')
    for (let line = 0; line < 2000; line += 1) logger.info({ pad: 'x'.repeat(1000) }, 'said')
    process.stderr.write('alive')`
  const full = await open('/dev/full', 'w')
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    stdio: ['ignore', full.fd, 'pipe'],
  })
  const said = text(child.stderr as NodeJS.ReadableStream)
  const [code] = (await once(child, 'close')) as [number | null]
  await full.close()
  expect({ code, said: await said }).toEqual({ code: 0, said: 'alive' })
})
