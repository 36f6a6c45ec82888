import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatCpu, formatMemory, parseQuantity } from './quantity.ts'

describe('parseQuantity', () => {
  test.each<[string, number | null, number | null]>([
    ['250m', 250, 1],
    ['1500m', 1_500, 2],
    ['1', 1_000, 1],
    ['1.5', 1_500, 2],
    ['.5', 500, 1],
    ['0.0011', 2, 1],
    ['1e3', 1_000_000, 1_000],
    ['2k', 2_000_000, 2_000],
    ['512Mi', 536_870_912_000, 536_870_912],
    ['1Gi', 1_073_741_824_000, 1_073_741_824],
    ['0', null, null],
    ['-1', null, null],
    ['1 Gi', null, null],
    ['1gi', null, null],
    ['Gi', null, null],
    ['1e999', null, null],
    ['', null, null],
  ])('%s', (text, millis, ones) => {
    expect(parseQuantity(text, 'milli')).toBe(millis)
    expect(parseQuantity(text, 'one')).toBe(ones)
  })

  test('reads back what is formatted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (amount) => {
        expect(parseQuantity(formatMemory(amount), 'one')).toBe(amount)
      }),
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (millis) => {
        expect(parseQuantity(formatCpu(millis), 'milli')).toBe(millis)
      }),
    )
  })
})
