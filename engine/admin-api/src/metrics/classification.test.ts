import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import type { ConfusionCell } from '@kre/store'
import { classify, type Averages } from './classification.ts'

type KnownAnswer = {
  name: string
  true: string[]
  said: string[]
  labels: string[]
  accuracy: number
  confusion: number[][]
  precision: number[]
  recall: number[]
  f1: number[]
  support: number[]
  classAccuracy: number[]
  averages: Record<'precision' | 'recall' | 'f1', Averages>
}
const { cases } = JSON.parse(
  readFileSync(new URL('fixtures/known-answers.json', import.meta.url), 'utf8'),
) as { cases: KnownAnswer[] }

function cellsOf(answer: KnownAnswer): ConfusionCell[] {
  const counts = new Map<string, number>()
  for (const [i, trueValue] of answer.true.entries()) {
    const key = JSON.stringify([trueValue, answer.said[i]])
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts].map(([key, count]) => {
    const [trueValue, predictedValue] = JSON.parse(key) as [string, string]
    return { trueValue, predictedValue, count }
  })
}

describe('classify', () => {
  test.each(cases.map((answer) => [answer.name, answer] as const))(
    'says of "%s" what scikit-learn says',
    (_, answer) => {
      const { rows, hits, classes, accuracy, averages } = classify(cellsOf(answer))
      expect(rows).toBe(answer.true.length)
      expect(hits).toBe(answer.confusion.reduce((sum, row, i) => sum + (row[i] ?? 0), 0))
      expect(accuracy).toBeCloseTo(answer.accuracy, 12)
      expect(classes.map(({ label }) => label)).toEqual(answer.labels)
      expect(classes.map(({ support }) => support)).toEqual(answer.support)
      const column = (metric: 'precision' | 'recall' | 'f1' | 'accuracy') =>
        classes.map((one) => one[metric].toFixed(10))
      const expected = (values: number[]) => values.map((value) => value.toFixed(10))
      expect(column('precision')).toEqual(expected(answer.precision))
      expect(column('recall')).toEqual(expected(answer.recall))
      expect(column('f1')).toEqual(expected(answer.f1))
      expect(column('accuracy')).toEqual(expected(answer.classAccuracy))
      for (const metric of ['precision', 'recall', 'f1'] as const)
        for (const average of ['micro', 'macro', 'weighted'] as const)
          expect(averages[metric][average]).toBeCloseTo(answer.averages[metric][average], 12)
    },
  )

  test('averages the accuracies of the classes, which are not their recalls', () => {
    const { averages } = classify([
      { trueValue: 'a', predictedValue: 'a', count: 3 },
      { trueValue: 'b', predictedValue: 'a', count: 1 },
      { trueValue: 'c', predictedValue: 'c', count: 4 },
    ])
    // Right about a: 7 of 8, about b: 7 of 8, about c: 8 of 8.
    expect(averages.accuracy).toEqual({
      micro: 7 / 8,
      macro: (7 / 8 + 7 / 8 + 1) / 3,
      weighted: ((7 / 8) * 3 + 7 / 8 + 4) / 8,
    })
  })

  test('is all zero without predictions', () => {
    const zero = { micro: 0, macro: 0, weighted: 0 }
    expect(classify([])).toEqual({
      rows: 0,
      hits: 0,
      classes: [],
      accuracy: 0,
      averages: { precision: zero, recall: zero, f1: zero, accuracy: zero },
    })
  })
})
