import { describe, expect, test } from '@jest/globals'
import { createBackOff } from './back-off.ts'
import { createThrottle } from './throttle.ts'

describe('createBackOff', () => {
  test('doubles up to its maximum and starts again after a success', () => {
    const backOff = createBackOff({ firstMs: 100, maxMs: 350, random: () => 1 })
    expect([backOff.next(), backOff.next(), backOff.next(), backOff.next()]).toEqual([
      100, 200, 350, 350,
    ])
    backOff.reset()
    expect(backOff.next()).toBe(100)
  })

  test('never waits less than half', () => {
    expect(createBackOff({ firstMs: 100, maxMs: 100, random: () => 0 }).next()).toBe(50)
  })
})

describe('createThrottle', () => {
  test('runs at once, and once more for all that came meanwhile', () => {
    let runs = 0
    {
      using throttle = createThrottle(60_000, () => (runs += 1))
      throttle.hit()
      expect(runs).toBe(1)
      throttle.hit()
      throttle.hit()
      expect(runs).toBe(1)
    }
    expect(runs).toBe(2)
  })
})
