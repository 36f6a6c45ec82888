import { describe, expect, test } from '@jest/globals'
import type { PredictionRecord } from '@kre/contracts'
import { CONFUSION_CELLS_MAX, type PredictionCounts } from '../ports/prediction-stats.ts'
import { samplePrediction } from './sample-records.ts'
import type { MakeStore } from './make-store.ts'

const HOUR_MS = 3_600_000
const QUERY = {
  runtimeId: 'demo',
  version: 'v1',
  from: new Date('2026-01-01T00:00:00Z'),
  to: new Date('2026-01-02T00:00:00Z'),
}

const said = (id: string, trueValue: string, predictedValue: string, more: object = {}) =>
  samplePrediction(id, { trueValue, predictedValue, ...more } as Partial<PredictionRecord>)

export function predictionContract(makeStore: MakeStore): void {
  describe('counts of predictions', () => {
    test('are made by pair of labels, by error, and by time', async () => {
      await using store = await makeStore()
      await store.outputs.write([
        said('1', 'cat', 'cat'),
        said('2', 'cat', 'dog'),
        said('3', 'cat', 'cat', { date: '2026-01-01T11:59:59.999999Z' }),
        said('4', 'dog', 'dog', { date: '2026-01-01T12:00:00.000000Z' }),
        said('5', '', '', { error: 'missing_values' }),
        said('6', '', 'cat', { error: 'new_labels' }),
        said('7', 'dog', '', { error: 'new_labels' }),
      ])
      const counts = await store.predictionStats.count(QUERY, HOUR_MS)
      expect(sorted(counts)).toEqual({
        cells: [
          { trueValue: 'cat', predictedValue: 'cat', count: 2 },
          { trueValue: 'cat', predictedValue: 'dog', count: 1 },
          { trueValue: 'dog', predictedValue: 'dog', count: 1 },
        ],
        missing: 1,
        newLabels: 2,
        buckets: [
          { at: new Date('2026-01-01T10:00:00Z'), hits: 1, misses: 1 },
          { at: new Date('2026-01-01T11:00:00Z'), hits: 1, misses: 0 },
          { at: new Date('2026-01-01T12:00:00Z'), hits: 1, misses: 0 },
        ],
      })
    })

    test('are of one version and of a range, both ends included', async () => {
      await using store = await makeStore()
      await store.outputs.write([
        said('1', 'a', 'a', { date: '2026-01-01T00:00:00.000000Z' }),
        said('2', 'a', 'a', { date: '2026-01-02T00:00:00.000000Z' }),
        said('3', 'a', 'a', { date: '2025-12-31T23:59:59.999000Z' }),
        said('4', 'a', 'a', { date: '2026-01-02T00:00:00.001000Z' }),
        said('5', 'a', 'a', { version: 'v2' }),
        said('6', 'a', 'a', { runtimeId: 'other' }),
      ])
      const { cells } = await store.predictionStats.count(QUERY, HOUR_MS)
      expect(cells).toEqual([{ trueValue: 'a', predictedValue: 'a', count: 2 }])
    })

    test('are empty without predictions', async () => {
      await using store = await makeStore()
      expect(await store.predictionStats.count(QUERY, HOUR_MS)).toEqual({
        cells: [],
        missing: 0,
        newLabels: 0,
        buckets: [],
      })
    })

    test('tell labels apart exactly, whatever is in them', async () => {
      await using store = await makeStore()
      const labels = ['a', 'A', ' a', 'á', '0', '0.0', 'true', '"', '["a","b"]', '$a', 'a.b', '😀']
      await store.outputs.write(labels.map((label, i) => said(`${i}`, label, 'a')))
      const { cells } = await store.predictionStats.count(QUERY, HOUR_MS)
      expect(cells.map(({ trueValue }) => trueValue).toSorted()).toEqual(labels.toSorted())
      expect(cells.every(({ count }) => count === 1)).toBe(true)
    })

    test('go by the first 200 characters of a label', async () => {
      await using store = await makeStore()
      const long = 'x'.repeat(200)
      await store.outputs.write([said('1', `${long}1`, 'a'), said('2', `${long}2`, 'a')])
      const { cells } = await store.predictionStats.count(QUERY, HOUR_MS)
      expect(cells).toEqual([{ trueValue: long, predictedValue: 'a', count: 2 }])
    })

    test('are right beyond the first tens of thousands of rows, before 1970 too', async () => {
      await using store = await makeStore()
      const rows = 24_000
      for (let at = 0; at < rows; at += 4_000)
        await store.outputs.write(
          Array.from({ length: 4_000 }, (_, i) =>
            said(`${at + i}`, `t${(at + i) % 3}`, `t${(at + i) % 2}`, {
              // Ten rows to a moment, so that cuts fall between equal ones.
              date: new Date(Math.floor((at + i) / 10) * 1_000 - 1_000_000).toISOString(),
            }),
          ),
        )
      const all = { ...QUERY, from: new Date(-1e9), to: new Date(1e9) }
      const counts = sorted(await store.predictionStats.count(all, HOUR_MS))
      expect(counts.cells.map(({ count }) => count)).toEqual(Array.from({ length: 6 }, () => 4_000))
      expect(counts.buckets.map(({ at, hits, misses }) => [at.getTime(), hits + misses])).toEqual([
        [-HOUR_MS, 10_000],
        [0, 14_000],
      ])
    })

    const cannot = makeStore.cannot?.groupMany
    const why = cannot === undefined ? '' : ` (skipped: ${cannot})`
    ;(cannot === undefined ? test : test.skip)(
      `are refused for values that are no classes${why}`,
      async () => {
        await using store = await makeStore()
        for (let at = 0; at <= CONFUSION_CELLS_MAX; at += 5_000)
          await store.outputs.write(
            Array.from({ length: 5_000 }, (_, i) => said(`${at + i}`, `${at + i}`, '1')),
          )
        await expect(store.predictionStats.count(QUERY, HOUR_MS)).rejects.toMatchObject({
          code: 'failed-precondition',
          message: expect.stringMatching(/classes/),
        })
      },
    )
  })
}

function sorted(counts: PredictionCounts): PredictionCounts {
  const cells = counts.cells.toSorted((a, b) =>
    a.trueValue + a.predictedValue < b.trueValue + b.predictedValue ? -1 : 1,
  )
  return { ...counts, cells }
}
