import { describe, expect, test } from '@jest/globals'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '@kre/contracts'
import { chooseStep, POINTS_MAX } from './choose-step.ts'

const NOW = new Date('2026-06-01T00:00:00Z')
const range = (agoMs: number, untilMs = 0) => ({
  from: new Date(NOW.getTime() - agoMs),
  to: new Date(NOW.getTime() - untilMs),
})

describe('chooseStep', () => {
  test.each([
    ['the last minutes', range(10 * MINUTE_MS), null, 5 * SECOND_MS, 5 * SECOND_MS],
    ['an hour', range(HOUR_MS), null, 5 * SECOND_MS, 15 * SECOND_MS],
    ['a day', range(DAY_MS), null, MINUTE_MS, 5 * MINUTE_MS],
    ['a month', range(30 * DAY_MS), null, 15 * MINUTE_MS, 2.5 * HOUR_MS],
    ['a year', range(365 * DAY_MS), null, 6 * HOUR_MS, 30 * HOUR_MS],
    ['a minute of yesterday', range(DAY_MS, DAY_MS - MINUTE_MS), null, MINUTE_MS, MINUTE_MS],
    ['more than is kept', range(800 * DAY_MS), null, 6 * HOUR_MS, 66 * HOUR_MS],
    ['a width', range(HOUR_MS), MINUTE_MS, MINUTE_MS, MINUTE_MS],
    ['an odd width', range(HOUR_MS), 7 * SECOND_MS, 5 * SECOND_MS, 10 * SECOND_MS],
    ['a width that is not kept so long', range(DAY_MS), 30 * SECOND_MS * 2, MINUTE_MS, MINUTE_MS],
    ['a moment', range(0), null, 5 * SECOND_MS, 5 * SECOND_MS],
  ])('answers %s', (_, asked, askedMs, storedMs, stepMs) => {
    expect(chooseStep(asked, askedMs, NOW)).toEqual({ storedMs, stepMs })
  })

  test('refuses more points than a chart takes', () => {
    expect(() => chooseStep(range(HOUR_MS * 2), 5 * SECOND_MS, NOW)).not.toThrow()
    expect(() => chooseStep(range(2 * DAY_MS), MINUTE_MS, NOW)).toThrow(`at most ${POINTS_MAX}`)
  })
})
