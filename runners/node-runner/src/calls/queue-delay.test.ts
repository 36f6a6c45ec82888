import { describe, expect, test } from '@jest/globals'
import { createQueueDelay } from './queue-delay.ts'

/**
 * A node that handles a call at a time, in 10 ms, and gets `perMs` of them, each with a second.
 *
 * @returns what each answered call had waited, by the time of its answer.
 */
function simulate(perMs: number, forMs: number, ageMsMax: number | null = null) {
  const delay = createQueueDelay(ageMsMax)
  const queue: { at: number; ahead: number }[] = []
  const waits: { at: number; ms: number }[] = []
  let refused = 0
  let late = 0
  let busyUntil = 0
  let owed = 0
  for (let now = 0; now < forMs; now++) {
    for (owed += perMs; owed >= 1; owed--) {
      const ahead = queue.length
      if (ahead > 0 && delay.expectedMs(ahead) > delay.limitMs(1_000, now)) refused++
      else queue.push({ at: now, ahead })
    }
    if (now < busyUntil) continue
    const call = queue.shift()
    if (call === undefined) continue
    const ms = now - call.at
    delay.waited(ms, call.ahead, 1_000, now)
    // Nobody waits for it any more: it takes no handler.
    if (ms > 1_000) {
      late++
      continue
    }
    waits.push({ at: now, ms })
    busyUntil = now + 10
  }
  return { waits, refused, late }
}
const longest = (waits: { at: number; ms: number }[], from = 0) =>
  Math.max(...waits.filter(({ at }) => at >= from).map(({ ms }) => ms))

describe('createQueueDelay', () => {
  test.each([0.2, 0.4, 1])(
    'keeps the queue short at %f calls per ms, ten times too many',
    (rate) => {
      const { waits, refused, late } = simulate(rate, 20_000)
      // The handler is never without work.
      expect(waits.length).toBeGreaterThan(1_950)
      // Only before the queue has shown how long calls wait.
      expect(late).toBeLessThan(100)
      expect(refused).toBeGreaterThan(1_500)
      expect(longest(waits, 3_000)).toBeLessThan(350)
    },
  )

  test('refuses nothing at half of what a node can do', () => {
    expect(simulate(0.05, 10_000)).toMatchObject({ refused: 0, late: 0 })
  })

  test('takes a burst as long as all of it can be answered in time', () => {
    const delay = createQueueDelay(null)
    delay.waited(10, 0, 1_000, 0)
    expect(delay.expectedMs(90)).toBeLessThan(delay.limitMs(1_000, 0))
    expect(delay.expectedMs(110)).toBeGreaterThan(delay.limitMs(1_000, 0))
  })

  test('lets no message in that would wait for longer than a set age', () => {
    const { waits, refused } = simulate(0.4, 10_000, 100)
    expect(longest(waits, 1_000)).toBeLessThanOrEqual(120)
    expect(waits.length).toBeGreaterThan(950)
    expect(refused).toBeGreaterThan(2_000)
  })

  test('takes all again once the load is gone', () => {
    const delay = createQueueDelay(null)
    for (let now = 0; now <= 1_000; now += 10) delay.waited(400, 40, 1_000, now)
    expect(delay.limitMs(1_000, 1_000)).toBe(250)
    delay.waited(5, 0, 1_000, 1_100)
    expect(delay.limitMs(1_000, 1_100)).toBe(1_000)
  })

  test('has no opinion of messages without a deadline', () => {
    const delay = createQueueDelay(null)
    for (let now = 0; now <= 1_000; now += 10) delay.waited(400, 40, Infinity, now)
    expect(delay.expectedMs(10_000)).toBeLessThan(delay.limitMs(Infinity, 1_000))
  })
})
