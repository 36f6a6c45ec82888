import { describe, expect, test } from '@jest/globals'
import { digits, median, quantile, slope, spread } from './statistics.ts'

describe('statistics', () => {
  test('a median is the middle value, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 2, 100])).toBe(3)
  })

  test('a quantile is a value that was seen', () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1)
    expect([quantile(values, 0), quantile(values, 0.5), quantile(values, 0.99)]).toEqual([
      1, 51, 100,
    ])
    expect(quantile([7], 0.99)).toBe(7)
    expect(quantile([], 0.5)).toBe(0)
  })

  test('a slope is exact for points on a line and the best for others', () => {
    expect(
      slope([
        [1, 10],
        [3, 16],
        [5, 22],
      ]),
    ).toBeCloseTo(3)
    expect(
      slope([
        [0, 0],
        [1, 2],
        [2, 1],
      ]),
    ).toBeCloseTo(0.5)
    expect(
      slope([
        [1, 4],
        [2, 4],
      ]),
    ).toBe(0)
  })

  test('numbers have as many digits as mean something', () => {
    expect([1.234, 12.34, 123.4, -0.5].map(digits)).toEqual(['1.23', '12.3', '123', '-0.50'])
    expect(spread([3, 1, 2])).toBe('2.00 (1.00-3.00)')
  })
})
