import { hostname } from 'node:os'
import { expect, test } from '@jest/globals'
import { createLogger } from '../logger.ts'
import { createJsonLogger } from './json-logger.ts'

test('writes the lines that pino writes', () => {
  const lines: { time?: string }[] = []
  const collect = (line: string) => void lines.push(JSON.parse(line))
  const loggers = [
    createJsonLogger('node', { write: collect }),
    createLogger('node', { destination: { write: collect } }),
  ]
  for (const logger of loggers) {
    logger.debug('not written')
    logger.info('plain')
    logger.warn({ port: 1, password: 'x', nats: { token: 'y' } }, 'with fields')
    logger.error({ err: new TypeError('bad') }, 'with an error')
  }
  const withoutTimes = lines.map(({ time, ...line }) => {
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
    return JSON.stringify(line, (key, value) => (key === 'stack' ? 'stack' : value))
  })
  expect(withoutTimes).toHaveLength(6)
  expect(withoutTimes.slice(0, 3).map((line) => JSON.parse(line))).toEqual(
    withoutTimes.slice(3).map((line) => JSON.parse(line)),
  )
  expect(lines[0]).toMatchObject({
    level: 30,
    pid: process.pid,
    hostname: hostname(),
    name: 'node',
  })
})

test('writes nothing below its level, and takes what JSON does not have', () => {
  const lines: string[] = []
  const logger = createJsonLogger('node', {
    level: 'error',
    write: (line) => void lines.push(line),
  })
  logger.warn('no')
  createJsonLogger('node', { level: 'silent', write: (line) => void lines.push(line) }).error('no')
  logger.error({ size: 3n }, 'yes')
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ size: '3', msg: 'yes' }),
  ])
})
