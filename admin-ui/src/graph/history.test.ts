import { describe, expect, test } from '@jest/globals'
import { historyOf, type HistoryPoint } from './history.ts'

const range = {
  startDate: '2026-01-01T10:00:00.000Z',
  endDate: '2026-01-01T10:30:00.000Z',
  stepS: 60,
}
const point = (
  minute: number,
  calls: number,
  errors: number,
  p99: number | null,
): HistoryPoint => ({
  date: new Date(Date.parse(range.startDate) + minute * 60_000).toISOString(),
  calls,
  errors,
  queued: minute,
  handler: p99 === null ? null : { p99 },
})

describe('historyOf', () => {
  test('measures each step against the busiest', () => {
    const history = historyOf([point(0, 60, 0, 10), point(29, 120, 30, 40)], range)
    expect(history).toMatchObject({
      steps: 30,
      bars: [
        { at: 0, calls: 0.5, errors: 0 },
        { at: 29, calls: 1, errors: 0.25 },
      ],
      line: [
        { at: 0, height: 0.25 },
        { at: 29, height: 1 },
      ],
      rateMax: 2,
      p99MaxMs: 40,
      errors: 30,
      queuedMax: 29,
    })
  })

  test('draws nothing of nothing, and leaves times out that were not measured', () => {
    expect(historyOf([], range)).toMatchObject({ bars: [], line: [], rateMax: 0, p99MaxMs: 0 })
    expect(historyOf([point(3, 0, 0, null)], range)).toMatchObject({
      bars: [{ at: 3, calls: 0, errors: 0 }],
      line: [],
    })
  })

  test('keeps a step that lies at the edge inside', () => {
    expect(historyOf([point(-1, 1, 0, null), point(30, 1, 0, null)], range).bars).toMatchObject([
      { at: 0 },
      { at: 29 },
    ])
  })
})
