import { describe, expect, test } from '@jest/globals'
import { AHEAD_CALLS_MAX, createReadAhead } from './read-ahead.ts'

/** Calls that may be given ahead after calls of so many milliseconds. */
function aheadAfter(...elapsedMs: number[]): number {
  const ahead = createReadAhead()
  for (const ms of elapsedMs) ahead.ended(ms)
  return ahead.calls
}

describe('reading ahead', () => {
  test('begins when a call was quick', () => {
    expect(aheadAfter()).toBe(0)
    expect(aheadAfter(0.1)).toBe(AHEAD_CALLS_MAX)
    expect(aheadAfter(0)).toBe(AHEAD_CALLS_MAX)
  })

  test('takes no more than 5 ms of work', () => {
    expect(aheadAfter(1)).toBe(5)
    expect(aheadAfter(5)).toBe(1)
    expect(aheadAfter(5.1)).toBe(0)
  })

  test('ends with one slow call and comes back with quick ones', () => {
    const quick = Array<number>(10).fill(0.1)
    expect(aheadAfter(...quick, 50)).toBe(0)
    expect(aheadAfter(...quick, 50, ...quick)).toBe(0)
    expect(aheadAfter(...quick, 50, ...quick, ...quick, ...quick, ...quick)).toBeGreaterThan(8)
  })
})
