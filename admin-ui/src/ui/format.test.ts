import { describe, expect, test } from '@jest/globals'
import { formatBytes, formatMs, formatRate } from './format.ts'

describe('numbers', () => {
  test.each([
    [formatMs(0.0421), '42 µs'],
    [formatMs(12.345), '12.3 ms'],
    [formatMs(999.6), '1000 ms'],
    [formatMs(4210), '4.21 s'],
    [formatMs(null), '–'],
    [formatRate(0), '0/s'],
    [formatRate(0.2), '0.2/s'],
    [formatRate(1234.5), '1235/s'],
    [formatBytes(1023), '1023 B'],
    [formatBytes(1536), '1.5 KiB'],
    [formatBytes(3 * 1024 ** 2), '3 MiB'],
  ])('are short: %s', (shown, expected) => {
    expect(shown).toBe(expected)
  })
})
