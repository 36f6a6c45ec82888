import { describe, expect, test } from '@jest/globals'
import { directionOf, nextOrder, sortRows } from './sort-rows.ts'

type Row = { name: string; size: number | null }
const columns = [
  { key: 'name', sortBy: (row: Row) => row.name },
  { key: 'size', sortBy: (row: Row) => row.size },
  { key: 'plain' },
]
const rows: Row[] = [
  { name: 'v10', size: 2 },
  { name: 'v9', size: null },
  { name: 'V1', size: 10 },
]
const names = (order: string | null) => sortRows(rows, columns, order).map(({ name }) => name)

describe('sortRows', () => {
  test.each([
    [null, ['v10', 'v9', 'V1']],
    ['name', ['V1', 'v9', 'v10']],
    ['-name', ['v10', 'v9', 'V1']],
    ['size', ['v10', 'V1', 'v9']],
    ['-size', ['V1', 'v10', 'v9']],
    ['plain', ['v10', 'v9', 'V1']],
    ['-', ['v10', 'v9', 'V1']],
    ['__proto__', ['v10', 'v9', 'V1']],
  ])('by %j', (order, expected) => {
    expect(names(order)).toEqual(expected)
  })
})

describe('a click on a head', () => {
  test('sorts, turns the order around, and gives the engine’s back', () => {
    const orders = [null, 'name', '-name'].map((order) => nextOrder('name', order))
    expect(orders).toEqual(['name', '-name', null])
    expect(nextOrder('size', '-name')).toBe('size')
  })

  test('is told to readers of screens', () => {
    expect(['name', '-name', 'size', null].map((order) => directionOf('name', order))).toEqual([
      'ascending',
      'descending',
      'none',
      'none',
    ])
  })
})
