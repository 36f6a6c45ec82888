import { expect, test } from '@jest/globals'
import { legalText } from './legal-text.ts'

const rule = { charsMax: 10, lines: false, invalid: (what: string) => new Error(what) }

test.each<[string, string]>([
  ['  Demo ', 'Demo'],
  ['U\u0308ber', '\u00dcber'],
  ['👩\u200d🔬 می\u200cشود', '👩\u200d🔬 می\u200cشود'],
  ['🚀'.repeat(10), '🚀'.repeat(10)],
  ['日本語', '日本語'],
  ['-', '-'],
])('%j is %j', (value, text) => {
  expect(legalText(value, rule)).toBe(text)
})

test.each<[string, string]>([
  ['', 'empty'],
  [' \t\u00a0', 'empty'],
  ['\u200b\u200d', 'empty'],
  ['a\0', 'U+0000'],
  ['a\u001b[31m', 'U+001B'],
  ['a\u202egpj', 'U+202E'],
  ['a\u2028b', 'U+2028'],
  ['a\ud800b', 'U+D800'],
  ['a\nb', 'U+000A'],
  ['a'.repeat(11), '11 characters'],
])('%j is refused: %s', (value, what) => {
  expect(() => legalText(value, rule)).toThrow(what)
})

test('lines are legal where they are asked for, without their returns', () => {
  expect(legalText('a\r\n\tb', { ...rule, lines: true })).toBe('a\n\tb')
  expect(() => legalText('a\rb', { ...rule, lines: true })).toThrow('U+000D')
})
