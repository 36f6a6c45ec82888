import { describe, expect, test } from '@jest/globals'
import type { KrtIssue } from '../api/krt-issue.ts'
import { LINES_MAX, markLine, partsOf, splitIssues } from './issue-report.ts'

const issue = (changes: Partial<KrtIssue>): KrtIssue => ({
  code: 'FIELD_VALUE',
  level: 'error',
  message: 'is wrong',
  file: 'kre.yaml',
  line: 1,
  column: 1,
  path: '',
  ...changes,
})
const text = (lines: number): string =>
  Array.from({ length: lines }, (_, index) => `line ${index + 1}\n`).join('')
const shape = (parts: ReturnType<typeof partsOf>) =>
  parts.map((part) =>
    part.kind === 'gap'
      ? `${part.from}-${part.to}`
      : part.number * (part.issues.length > 0 ? -1 : 1),
  )

describe('splitIssues', () => {
  test('puts errors first, and what has no line apart', () => {
    const { whole, files } = splitIssues([
      issue({ file: 'a.py', level: 'warning', line: 3 }),
      issue({ file: '', line: 0 }),
      issue({ file: 'big.bin', line: 0 }),
      issue({ line: 9 }),
      issue({ line: 2 }),
    ])
    expect(whole.map(({ file }) => file)).toEqual(['', 'big.bin'])
    expect(files.map(({ file, issues }) => [file, issues.map(({ line }) => line)])).toEqual([
      ['kre.yaml', [2, 9]],
      ['a.py', [3]],
    ])
  })
})

describe('partsOf', () => {
  test('shows findings with the lines around them, and says what it leaves out', () => {
    const parts = partsOf(text(20), [issue({ line: 1 }), issue({ line: 12 })], false)
    expect(shape(parts)).toEqual([-1, 2, 3, '4-9', 10, 11, -12, 13, 14, '15-20'])
  })

  test('joins findings that are near to each other, in the order of their columns', () => {
    const issues = [
      issue({ line: 2, column: 9 }),
      issue({ line: 2, column: 4 }),
      issue({ line: 5 }),
    ]
    const parts = partsOf(text(7), issues, false)
    expect(shape(parts)).toEqual([1, -2, 3, 4, -5, 6, 7])
    expect(parts[1]).toMatchObject({ issues: [{ column: 4 }, { column: 9 }] })
  })

  test('puts a finding behind the end at the last line', () => {
    expect(shape(partsOf(text(2), [issue({ line: 99 })], false))).toEqual([1, -2])
    expect(shape(partsOf('', [issue({ line: 1 })], false))).toEqual([-1])
  })

  test('shows a whole file up to its bound, and each finding behind that', () => {
    const parts = partsOf(text(LINES_MAX + 100), [issue({ line: LINES_MAX + 50 })], true)
    expect(parts).toHaveLength(LINES_MAX + 1 + 5 + 1)
  })

  test('takes lines of Windows as they are meant', () => {
    expect(partsOf('a\r\nb\r\n', [issue({ line: 2 })], false)).toMatchObject([
      { text: 'a' },
      { text: 'b' },
    ])
  })
})

describe('markLine', () => {
  test.each([
    ['subscriptions: [ghost]', 17, ['subscriptions: [', 'ghost', ']']],
    ['name: "a b"', 7, ['name: ', '"a b"', '']],
    ['name:', 0, ['', '', 'name:']],
    ['name:', 99, ['name:', '', '']],
    ['a: <b>', 4, ['a: ', '<', 'b>']],
  ])('of %j at column %d sets apart %j', (line, column, [before, marked, after]) => {
    expect(markLine(line, column)).toEqual({ before, marked, after })
  })

  test('cuts a long line around its finding', () => {
    const { before, marked, after } = markLine(`${'x'.repeat(100_000)} here`, 100_002)
    expect(before.length).toBeLessThan(130)
    expect([marked, after]).toEqual(['here', ''])
  })
})
