import { describe, expect, test } from '@jest/globals'
import { isDuplicate, isTooLarge, toKreError } from './to-kre-error.ts'

describe('toKreError', () => {
  test.each([
    [{ name: 'MongoNetworkError', message: 'ECONNREFUSED' }, 'unavailable', /check that it runs/],
    [{ name: 'MongoServerSelectionError', message: 'x' }, 'unavailable', /goes on by itself/],
    [
      { name: 'MongoServerError', code: 10_107, message: 'not primary' },
      'unavailable',
      /not ready/,
    ],
    [{ name: 'MongoWriteConcernError', code: 64, message: 'waiting' }, 'unavailable', /not ready/],
    [{ name: 'MongoServerError', code: 18, message: 'auth' }, 'unavailable', /user, password/],
    [{ name: 'MongoServerError', code: 13, message: 'no' }, 'unavailable', /roles/],
    [{ code: 14_031, message: 'disk' }, 'resource-exhausted', /^STORAGE_FULL/],
    [{ code: 50, message: 'slow' }, 'deadline-exceeded', /ask for less/],
    [{ code: 10_334, message: 'big' }, 'resource-exhausted', /of this size/],
    [{ errorLabelSet: new Set(['RetryableWriteError']), message: 'x' }, 'unavailable', /not ready/],
    [new Error('odd'), 'internal', /odd/],
  ])('turns %j into %s', (thrown, code, message) => {
    const error = toKreError(thrown, 'db1:27017')
    expect(error).toMatchObject({ code, cause: thrown })
    expect(error.message).toMatch(message)
    // Of faults only the log has the message; what callers read names no server.
    const isFault = code === 'unavailable' || code === 'internal'
    expect(error.message.includes('db1:27017')).toBe(isFault)
  })

  test('never shows a password', () => {
    const thrown = new Error('failed for mongodb://user:secret@host/?x')
    expect(toKreError(thrown, 'host').message).not.toContain('secret')
  })

  test('knows duplicates and sizes by their codes, and FerretDB’s duplicates by their text', () => {
    expect(isDuplicate({ code: 11_000 })).toBe(true)
    expect(isDuplicate(new Error('constraint failed: UNIQUE constraint failed: a'))).toBe(true)
    expect(isDuplicate(new Error('odd'))).toBe(false)
    expect(isTooLarge({ code: 17_419 })).toBe(true)
    expect(isTooLarge(undefined)).toBe(false)
  })
})
