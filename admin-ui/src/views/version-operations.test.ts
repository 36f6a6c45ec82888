import { describe, expect, test } from '@jest/globals'
import { cliTwin, operationsOf } from './version-operations.ts'

describe('operationsOf', () => {
  test.each([
    ['CREATED', 'start', ['delete']],
    ['STARTING', null, ['stop']],
    ['STARTED', 'publish', ['stop']],
    ['PUBLISHED', null, ['unpublish']],
    ['STOPPING', null, []],
    ['STOPPED', 'start', ['delete']],
    ['ERROR', 'restart', ['stop', 'delete']],
  ] as const)('offers for %s first %s, then %j', (status, next, others) => {
    expect(operationsOf(status)).toEqual({ next, others })
  })
})

describe('cliTwin', () => {
  test('is what a shell takes', () => {
    const input = { runtimeId: 'demo', versionName: 'v1', comment: " it's ready " }
    expect(cliTwin('publish', input)).toBe(
      String.raw`krectl version publish -r demo v1 --comment 'it'\''s ready'`,
    )
    expect(cliTwin('stop', { ...input, comment: '' })).toBe('krectl version stop -r demo v1')
  })
})
