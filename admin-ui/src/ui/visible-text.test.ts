import { expect, test } from '@jest/globals'
import { visibleText } from './visible-text.ts'

test.each([
  ['plain ünïcode 模型\t.krt', 'plain ünïcode 模型\t.krt'],
  ['gpj.\u202ekrt', 'gpj.\\u{202e}krt'],
  ['a\u0000b\nc', 'a\\u{0}b\\u{a}c'],
  ['zero\u200bwidth', 'zero\\u{200b}width'],
  ['half \ud800', 'half \\u{d800}'],
])('%j is shown as %j', (text, shown) => {
  expect(visibleText(text)).toBe(shown)
})

test('what is too long is cut, and says so', () => {
  expect(visibleText('x'.repeat(300), 10)).toBe('xxxxxxxxxx…')
})
