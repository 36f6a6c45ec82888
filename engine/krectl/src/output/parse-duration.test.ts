import { describe, expect, test } from '@jest/globals'
import { UsageError } from './exit-code.ts'
import { parseCount, parseDuration } from './parse-duration.ts'

describe('parseDuration', () => {
  test.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['3', 3_000],
    ['0', 0],
    [' 5s ', 5_000],
  ])('reads "%s"', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  test.each(['', 's', '-1s', '5 s', '1y', '1e3', '5s5s', 'Infinity', '3651d', '9'.repeat(400)])(
    'refuses "%s"',
    (text) => {
      expect(() => parseDuration(text)).toThrow(UsageError)
    },
  )
})

describe('parseCount', () => {
  test('reads whole numbers and refuses anything else', () => {
    expect(parseCount('--limit', '200')).toBe(200)
    for (const text of ['', '-1', '1.5', 'x', '1e9', '9999999999'])
      expect(() => parseCount('--limit', text)).toThrow(`--limit: "${text}" is not a whole number`)
  })
})
