import { describe, expect, test } from '@jest/globals'
import type { MakeStore } from './make-store.ts'

export function heardTotalsContract(makeStore: MakeStore): void {
  describe('totals that were heard', () => {
    const heard = (process: string, ms: number, totals = '{}') => ({
      process,
      heardAt: new Date(ms),
      totals,
    })

    test('are kept once per process, the newest, until they are old', async () => {
      await using store = await makeStore()
      const { heardTotals } = store
      await heardTotals.put([])
      await heardTotals.put([heard('a', 1), heard('b', 2, '"ü \0"')])
      await heardTotals.put([heard('a', 3, '[1]')])
      const all = await heardTotals.since(new Date(0))
      expect(all.toSorted((x, y) => (x.process < y.process ? -1 : 1))).toEqual([
        heard('a', 3, '[1]'),
        heard('b', 2, '"ü \0"'),
      ])
      expect(await heardTotals.since(new Date(3))).toEqual([heard('a', 3, '[1]')])
      expect(await heardTotals.expire(new Date(3))).toBe(1)
      expect(await heardTotals.since(new Date(0))).toEqual([heard('a', 3, '[1]')])
    })
  })
}
