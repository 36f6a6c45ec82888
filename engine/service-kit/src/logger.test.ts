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
