import { describe, expect, test } from '@jest/globals'
import type { LogLine } from '../gen/documents.ts'
import { linesAfter } from './lines-after.ts'

const NOW_MS = 1_000_000_000
const FROM_MS = 500_000_000

/** A log with lines at these moments; counts how often it is asked. */
function logOf(moments: readonly number[]) {
  let asked = 0
  const read = async ({ fromMs, toMs }: { fromMs: number; toMs: number }, limit: number) => {
    asked += 1
    const own = moments.filter((at) => at >= fromMs && at <= toMs).toReversed()
    const items = own.slice(0, limit).map((at): LogLine => ({
      id: String(at),
      date: new Date(at).toISOString(),
      nodeId: '',
      nodeName: '',
      workflowName: '',
      message: '',
      level: 'INFO',
      requestId: null,
    }))
    return { cursor: own.length > limit ? 'more' : null, items }
  }
  const after = async () => {
    const lines = await linesAfter(read, FROM_MS, NOW_MS, 100)
    return { ids: lines.map(({ id }) => Number(id) - FROM_MS), asked }
  }
  return { after }
}
const every = (stepMs: number, count: number) =>
  Array.from({ length: count }, (_, i) => FROM_MS + i * stepMs)

describe('linesAfter', () => {
  test('finds them at once where lines come as usual', async () => {
    const { ids, asked } = await logOf(every(30, 1000)).after()
    expect([ids[0], ids.length, asked]).toEqual([0, 67, 1])
  })

  test('looks further where there are few', async () => {
    const { ids } = await logOf([FROM_MS, FROM_MS + 90_000, FROM_MS + 80_000_000]).after()
    expect(ids).toEqual([0, 90_000, 80_000_000])
  })

  test('looks closer where there are many, and begins with the first all the same', async () => {
    const { ids } = await logOf(every(1, 100_000)).after()
    expect(ids[0]).toBe(0)
    expect(ids.length).toBeLessThanOrEqual(101)
    expect(ids.length).toBeGreaterThan(10)
  })

  test('gives what it has where one moment has more than fit', async () => {
    const { ids, asked } = await logOf(Array.from({ length: 5000 }, () => FROM_MS)).after()
    expect(ids).toHaveLength(100)
    expect(asked).toBeLessThan(10)
  })

  test('ends where nothing follows', async () => {
    const { ids, asked } = await logOf([]).after()
    expect(ids).toEqual([])
    expect(asked).toBeLessThan(12)
  })
})
