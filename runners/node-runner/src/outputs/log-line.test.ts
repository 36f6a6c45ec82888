import { describe, expect, test } from '@jest/globals'
import { createLineAssembler } from './line-assembler.ts'
import { LINE_CHARS_MAX, parseLogLine, type LogLine } from './log-line.ts'

describe('parseLogLine', () => {
  test.each([
    ['2024-01-31T12:00:00Z ERROR bad', 'ERROR', 'bad', '2024-01-31T12:00:00.000Z'],
    ['2024-01-31T14:00:00.123456+02:00 WARNING odd', 'WARN', 'odd', '2024-01-31T12:00:00.123Z'],
    ['2024-01-31 12:00:00,5 CRITICAL dead', 'ERROR', 'dead', '2024-01-31T12:00:00.500Z'],
    ['2024-01-31T12:00:00Z DEBUG: x', 'DEBUG', 'x', '2024-01-31T12:00:00.000Z'],
    ['ERROR without a time', 'INFO', 'ERROR without a time', null],
    ['2024-99-99T12:00:00Z INFO no such day', 'INFO', '2024-99-99T12:00:00Z no such day', null],
    ['2024-01-31T12:01:00Z INFO just now', 'INFO', 'just now', '2024-01-31T12:01:00.000Z'],
    ['2024-01-31T13:00:00 INFO elsewhere', 'INFO', '2024-01-31T13:00:00 elsewhere', null],
    ['2999-01-01T00:00:00Z ERROR made up', 'ERROR', '2999-01-01T00:00:00Z made up', null],
    ['1970-01-01T00:00:00Z WARN long ago', 'WARN', '1970-01-01T00:00:00Z long ago', null],
    ['', 'INFO', '', null],
  ])('%s', (line, level, text, date) => {
    const noon = Date.UTC(2024, 0, 31, 12)
    expect(parseLogLine(line, 'INFO', noon)).toEqual({ level, text, date })
  })

  test.each([LINE_CHARS_MAX - 1, LINE_CHARS_MAX, LINE_CHARS_MAX + 1])(
    'keeps lines of at most 16 KiB: %i',
    (chars) => {
      const { text } = parseLogLine('x'.repeat(chars))
      expect(text.length).toBe(Math.min(chars, LINE_CHARS_MAX))
      expect(text.endsWith('characters)')).toBe(chars > LINE_CHARS_MAX)
    },
  )

  test('cuts no character in two', () => {
    for (const begin of ['', 'x']) {
      const { text } = parseLogLine(begin + '😀'.repeat(LINE_CHARS_MAX))
      expect(text).toMatch(/(?:😀)+ … \(3276[89] characters\)$/)
      expect(text.isWellFormed()).toBe(true)
    }
  })
})

describe('createLineAssembler', () => {
  const linesOf = (...chunks: (string | Uint8Array)[]) => {
    const lines: LogLine[] = []
    const assembler = createLineAssembler((line) => lines.push(line))
    for (const chunk of chunks) assembler.write(chunk)
    assembler.flush()
    return lines.map(({ text }) => text)
  }

  test('joins what belongs to one message, and keeps apart what does not', () => {
    const traceback = 'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: bad'
    expect(linesOf(`start\n${traceback}\nnext\r\nlast`)).toEqual([
      `start\n${traceback}`,
      'next',
      'last',
    ])
  })

  test('finds lines and characters across chunks', () => {
    const bytes = new TextEncoder().encode('señal\nzwei\n')
    expect(linesOf(bytes.subarray(0, 3), bytes.subarray(3, 8), bytes.subarray(8))).toEqual([
      'señal',
      'zwei',
    ])
  })

  test('spells out bytes that are no text, also where chunks cut characters in two', () => {
    const bytes = [0xe2, 0x82, 0xac, 0x00, 0xff, 0xfe, 0x41, 0x0a, 0xc3]
    const chunks = bytes.map((byte) => Uint8Array.of(byte))
    expect(linesOf(Uint8Array.from(bytes))).toEqual(['€\0\\xff\\xfeA', '\\xc3'])
    expect(linesOf(...chunks)).toEqual(['€\0\\xff\\xfeA', '\\xc3'])
  })

  test('gives out a line without an end in pieces', () => {
    const pieces = linesOf('y'.repeat(LINE_CHARS_MAX * 2), 'z')
    expect(pieces.map((text) => text.length)).toEqual([LINE_CHARS_MAX, LINE_CHARS_MAX, 1])
  })
})
