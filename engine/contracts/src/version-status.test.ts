import { describe, expect, test } from '@jest/globals'
import {
  isAllowed,
  VERSION_OPERATIONS,
  VERSION_STATUSES,
  VERSION_TRANSITIONS,
} from './version-status.ts'

describe('the life cycle of a version', () => {
  test('allows each operation in these statuses only', () => {
    const allowed = Object.fromEntries(
      VERSION_OPERATIONS.map((operation) => [
        operation,
        VERSION_STATUSES.filter((status) => isAllowed(operation, status)),
      ]),
    )
    expect(allowed).toEqual({
      start: ['CREATED', 'STOPPED', 'ERROR'],
      restart: ['ERROR'],
      stop: ['STARTING', 'STARTED', 'ERROR'],
      publish: ['STARTED'],
      unpublish: ['PUBLISHED'],
      delete: ['CREATED', 'STOPPED', 'ERROR'],
    })
  })

  test('never stops or deletes what callers use', () => {
    expect(isAllowed('stop', 'PUBLISHED')).toBe(false)
    expect(isAllowed('delete', 'PUBLISHED')).toBe(false)
  })

  test('has a refusal for every operation', () => {
    for (const operation of VERSION_OPERATIONS)
      expect(VERSION_TRANSITIONS[operation].refusal).toMatch(/^the version must be /)
  })
})
