import { describe, expect, test } from '@jest/globals'
import { indentedMessage, logDate, visibleMessage } from './visible-message.ts'

describe('visibleMessage', () => {
  test.each([
    ['colours of a terminal', 'a\u001b[31mred', String.raw`a\u{1b}[31mred`],
    ['a title of a terminal', '\u001b]0;owned\u0007', String.raw`\u{1b}]0;owned\u{7}`],
    ['controls of 8 bits', 'a\u009b2Jb', String.raw`a\u{9b}2Jb`],
    ['text that is turned around', 'a\u202egpj.exe', String.raw`a\u{202e}gpj.exe`],
    ['isolates', '\u2066a\u2069', String.raw`\u{2066}a\u{2069}`],
    ['a line that overwrites itself', 'denied\rgranted', String.raw`denied\u{d}granted`],
    ['separators of lines and paragraphs', 'a\u2028b\u2029c', String.raw`a\u{2028}b\u{2029}c`],
    ['zero', 'a\0b', String.raw`a\u{0}b`],
    ['text that can not be seen', 'a\u200bb\ufeffc', String.raw`a\u{200b}b\u{feff}c`],
    ['half a character', 'a\ud800b', String.raw`a\u{d800}b`],
    ['backspaces', 'ab\b\bcd', String.raw`ab\u{8}\u{8}cd`],
    ['line ends of Windows', 'a\r\nb\r\n', 'a\nb\n'],
    ['nothing in ordinary text', 'Ärger\t100 %\n😀 👩‍💻 日本', 'Ärger\t100 %\n😀 👩‍💻 日本'],
  ])('spells out %s', (_, text, visible) => {
    expect(visibleMessage(text)).toBe(visible)
  })

  test('reads 1 MB in a moment', () => {
    expect(visibleMessage('\r'.repeat(1_000_000))).toBe('')
    expect(visibleMessage('\u001b'.repeat(100_000))).toHaveLength(600_000)
  })
})

test('lines after the first are indented, so that none can pass for a record', () => {
  const forged = 'a\n2026-01-01T00:00:00.000Z INFO  v1 wf.a forged'
  expect(indentedMessage(forged).split('\n')[1]).toMatch(/^ {4}2026/)
})

test('dates are written as RFC 3339, whatever a parser forgave', () => {
  expect(logDate({ date: '2026-01-01 (\nforged) 00:00:00Z' })).toMatch(/^2026-01-01T.*Z$/)
})
