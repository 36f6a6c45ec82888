import { describe, expect, test } from '@jest/globals'
import { createOverloadThrottle } from './overload-throttle.ts'

/** Between 0 and 1, the same in every run. */
function randomNumbers(): () => number {
  let state = 1
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

/** Nodes that take `capacity` requests per second and refuse the rest, for ten seconds. */
function simulate(
  offered: number,
  capacity: number,
  throttle = createOverloadThrottle(randomNumbers()),
) {
  const counts = { taken: 0, byNodes: 0, here: 0 }
  let tokens = 0
  for (let i = 0; i < offered * 10; i++) {
    const now = (i * 1_000) / offered
    tokens = Math.min(tokens + capacity / offered, 10)
    if (throttle.refuses(now)) {
      counts.here++
      continue
    }
    const isTaken = tokens >= 1
    if (isTaken) tokens--
    throttle.ended(!isTaken, now)
    if (isTaken) counts.taken++
    else counts.byNodes++
  }
  return { ...counts, throttle }
}

describe('createOverloadThrottle', () => {
  test('refuses nothing while the nodes take what comes', () => {
    expect(simulate(500, 500).here).toBe(0)
    expect(simulate(5, 100).here).toBe(0)
  })

  test.each([2, 4, 10, 50])(
    'at %i times the capacity the nodes stay at work, and see twice that at most',
    (factor) => {
      const { taken, byNodes, here } = simulate(200 * factor, 200)
      expect(taken).toBeGreaterThan(1_900)
      expect(taken + byNodes).toBeLessThan(5_000)
      if (factor > 2) expect(here).toBeGreaterThan(200 * (factor - 2.5) * 10)
    },
  )

  test('a few refusals are no overload', () => {
    const throttle = createOverloadThrottle(() => 0)
    for (let i = 0; i < 5; i++) throttle.ended(true, i)
    expect(throttle.refuses(10)).toBe(false)
  })

  test('lets all in again soon after the overload', () => {
    const { throttle } = simulate(2_000, 200)
    for (let now = 10_000; now < 16_000; now += 10)
      if (!throttle.refuses(now)) throttle.ended(false, now)
    const refused = Array.from({ length: 100 }, (_, i) => throttle.refuses(16_000 + i))
    expect(refused).not.toContain(true)
  })

  test('does not close for good when nothing is taken at all', () => {
    const throttle = createOverloadThrottle(randomNumbers())
    for (let now = 0; now < 1_000; now++) throttle.ended(true, now)
    let passed = 0
    for (let now = 1_000; now < 21_000; now += 10) if (!throttle.refuses(now)) passed++
    expect(passed).toBeGreaterThan(10)
  })
})
