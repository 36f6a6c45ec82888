import { expect, test } from '@jest/globals'
import { rowText } from './line-text.ts'

test.each([
  ['', { text: '', moreLines: 0 }],
  ['one', { text: 'one', moreLines: 0 }],
  ['one\n', { text: 'one', moreLines: 0 }],
  ['one\ntwo', { text: 'one', moreLines: 1 }],
  ['one\ntwo\nthree\n', { text: 'one', moreLines: 2 }],
  ['\n\nthree', { text: '', moreLines: 2 }],
])('the row of %j is %j', (message, expected) => {
  expect(rowText({ message })).toEqual(expected)
})

test('of a line of 10 MB a row holds what can be read', () => {
  const line = { message: `${'x'.repeat(10_000_000)}\n${'y\n'.repeat(100)}` }
  expect(rowText(line)).toEqual({ text: 'x'.repeat(500), moreLines: 100 })
  expect(rowText(line)).toBe(rowText(line))
})
