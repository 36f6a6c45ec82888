import { describe, expect, test } from '@jest/globals'
import { createFailedAttempts, FAILED_ATTEMPTS_MAX } from './failed-attempts.ts'

/** How the eleventh failure of `last` is answered after ten of `before`. */
function eleventh(before: string, last: string): number {
  const attempts = createFailedAttempts(() => new Date(0))
  for (let i = 0; i < FAILED_ATTEMPTS_MAX; i += 1) expect(attempts.add(before)).toBe(0)
  return attempts.add(last)
}

describe('failed attempts', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1', 60],
    ['10.0.0.1', '10.0.0.2', 0],
    ['::ffff:10.0.0.1', '10.0.0.1', 60],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', 60],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', 0],
    ['::1', '::2', 60],
    ['', '', 60],
  ])('of %s and %s', (before, last, waitSeconds) => {
    expect(eleventh(before, last)).toBe(waitSeconds)
  })

  test('of a flood of addresses forget the oldest, not everything', () => {
    const attempts = createFailedAttempts(() => new Date(0))
    for (let i = 0; i <= FAILED_ATTEMPTS_MAX; i += 1) attempts.add('victim')
    for (let i = 0; i < 9_999; i += 1) attempts.add(`10.0.${i >> 8}.${i & 255}`)
    expect(attempts.add('victim')).toBeGreaterThan(0)
    for (let i = 0; i < 10_000; i += 1) attempts.add(`10.1.${i >> 8}.${i & 255}`)
    expect(attempts.add('victim')).toBe(0)
  })
})
