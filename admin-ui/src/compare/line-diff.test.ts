import { describe, expect, test } from '@jest/globals'
import { countChanges, foldSame, lineDiff } from './line-diff.ts'

const text = (...lines: (string | number)[]) => lines.map((line) => `${line}\n`).join('')

describe('lineDiff', () => {
  test('numbers the lines of both texts', () => {
    expect(lineDiff(text('a', 'b', 'c'), text('a', 'x', 'y', 'c'))).toEqual([
      { kind: 'same', text: 'a', before: 1, after: 1 },
      { kind: 'removed', text: 'b', before: 2, after: null },
      { kind: 'added', text: 'x', before: null, after: 2 },
      { kind: 'added', text: 'y', before: null, after: 3 },
      { kind: 'same', text: 'c', before: 3, after: 4 },
    ])
  })

  test('keeps empty lines, and texts that are empty', () => {
    expect(lineDiff('', text('a'))).toMatchObject([{ kind: 'added', text: 'a' }])
    expect(lineDiff('', '')).toEqual([])
    expect(lineDiff(text('a', '', 'b'), text('a', '', 'b'))).toHaveLength(3)
  })

  test('does not look for what little two large texts have in common', () => {
    const many = (word: string) =>
      text(...Array.from({ length: 9_000 }, (_, at) => `${word} ${at}`))
    expect(countChanges(lineDiff(many('a'), many('b')))).toEqual({ added: 9_000, removed: 9_000 })
  })

  test('counts what changed', () => {
    const lines = lineDiff(text('a', 'b'), text('a', 'c', 'd'))
    expect(countChanges(lines)).toEqual({ added: 2, removed: 1 })
  })
})

describe('foldSame', () => {
  const numbers = Array.from({ length: 20 }, (_, index) => index + 1)

  test('leaves three lines around each change', () => {
    const changed = numbers.map((number) => (number === 10 ? 'ten' : number))
    const folded = foldSame(lineDiff(text(...numbers), text(...changed)))
    expect(folded.map((line) => (line.kind === 'fold' ? line.count : line.text))).toEqual([
      6,
      '7',
      '8',
      '9',
      '10',
      'ten',
      '11',
      '12',
      '13',
      7,
    ])
  })

  test('leaves nothing of texts that are the same', () => {
    expect(foldSame(lineDiff(text(...numbers), text(...numbers)))).toEqual([
      { kind: 'fold', count: 20 },
    ])
  })
})
