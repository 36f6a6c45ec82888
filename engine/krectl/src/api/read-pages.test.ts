import { describe, expect, test } from '@jest/globals'
import { readPages, type PageOptions } from './read-pages.ts'

/** Reads a list of `count` names as the API would, and counts the questions. */
async function read(count: number, options: PageOptions) {
  const names = Array.from({ length: count }, (_, index) => `n${index}`)
  let questions = 0
  const readPage = async (limit: number, cursor: string | null) => {
    questions += 1
    expect(limit).toBeLessThanOrEqual(1_000)
    const start = cursor === null ? 0 : names.indexOf(cursor) + 1
    return names.slice(start, start + limit)
  }
  return { ...(await readPages(readPage, (name) => name, options)), questions, names }
}

describe('a list in pages', () => {
  test.each([0, 1, 199, 200, 201, 1_001])('is whole with %i items', async (count) => {
    const { items, names, hasMore } = await read(count, { limit: null, after: null })
    expect(items).toEqual(names)
    expect(hasMore).toBe(false)
  })

  test.each([
    [10, 9, true],
    [10, 10, false],
    [10, 11, false],
    [500, 350, true],
  ])('of %i items is cut at %i', async (count, limit, more) => {
    const { items, names, hasMore } = await read(count, { limit, after: null })
    expect([items, hasMore]).toEqual([names.slice(0, limit), more])
  })

  test('goes on behind an item', async () => {
    const { items } = await read(10, { limit: 2, after: 'n6' })
    expect(items).toEqual(['n7', 'n8'])
  })
})
