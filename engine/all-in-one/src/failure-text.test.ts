import { KreError } from '@kre/contracts'
import { describe, expect, test } from '@jest/globals'
import { failureText } from './failure-text.ts'

describe('what ended the engine', () => {
  test.each(['ENOSPC', 'EDQUOT'])('is a full disk: %s', (code) => {
    const error = Object.assign(new Error(`${code}: no space left on device, write`), { code })
    expect(failureText(error)).toMatch(/^no space is left on the disk .*free some and start/)
  })

  test.each([
    [new KreError('unavailable', 'why, and what to do')],
    [Object.assign(new Error('why, and what to do'), { code: 'EIO' })],
    ['why, and what to do'],
  ])('is said as it is otherwise', (error) => {
    expect(failureText(error)).toBe('why, and what to do')
  })
})
