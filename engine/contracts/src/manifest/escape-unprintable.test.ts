import { expect, test } from '@jest/globals'
import { escapeUnprintable } from './escape-unprintable.ts'

test.each([
  ['plain text, Über, 日本, ❤️', 'plain text, Über, 日本, ❤️'],
  ['\u001b[2J', '\\u{1b}[2J'],
  ['a\u202eb\u2066c\u200bd', 'a\\u{202e}b\\u{2066}c\\u{200b}d'],
  ['two\nlines\u2028three', 'two\\u{a}lines\\u{2028}three'],
  ['half \ud800', 'half \\u{d800}'],
])('shows %j as %s', (text, shown) => {
  expect(escapeUnprintable(text)).toBe(shown)
})
