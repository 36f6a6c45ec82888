import { expect, test } from '@jest/globals'
import { createLogger, waitUntil } from '@kre/service-kit'
import { createWorkQueue } from './work-queue.ts'

function testLogger() {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  return { lines, logger: createLogger('test', { level: 'debug', destination }) }
}

test('what waits at the end is done before it, in its order', async () => {
  const { logger, lines } = testLogger()
  const queue = createWorkQueue('mails', logger)
  const done: number[] = []
  for (let i = 0; i < 5; i += 1) queue.add(async () => void done.push(i))
  await queue[Symbol.asyncDispose]()
  expect(done).toEqual([0, 1, 2, 3, 4])
  expect(lines.join()).not.toContain('lost')
})

test('what failed and waits to be tried again is tried once more at the end', async () => {
  const { logger } = testLogger()
  const queue = createWorkQueue('mails', logger)
  let tries = 0
  queue.add(async () => {
    tries += 1
    throw new Error('the mail server is away')
  })
  await waitUntil('a first try', () => tries === 1)
  await queue[Symbol.asyncDispose]()
  expect(tries).toBe(2)
})

test('work that hangs holds the end up for its bound, and what is lost is said', async () => {
  const { logger, lines } = testLogger()
  const queue = createWorkQueue('mails', logger, 50)
  const after: string[] = []
  queue.add(() => new Promise(() => undefined))
  queue.add(async () => void after.push('never'))
  await queue[Symbol.asyncDispose]()
  expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({ queue: 'mails', lost: 2 })
  queue.add(async () => void after.push('never'))
  expect(after).toEqual([])
})
