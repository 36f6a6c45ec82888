/**
 * Metrics of a classifier from its confusion matrix, defined as in scikit-learn: a share whose base is empty is 0.
 * Pure; shares are between 0 and 1 and not rounded.
 */
import type { ConfusionCell } from '@kre/store'

export type ClassMetrics = {
  readonly label: string
  /** Predictions whose true value it is. */
  readonly support: number
  /** Predictions that said it. */
  readonly predicted: number
  readonly hits: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
  /** Of all predictions, those that are right about this class: true positives and true negatives. */
  readonly accuracy: number
}

export type Averages = { readonly micro: number; readonly macro: number; readonly weighted: number }

export type Classification = {
  /** Predictions without an error. */
  readonly rows: number
  readonly hits: number
  /** By label, ascending. */
  readonly classes: readonly ClassMetrics[]
  readonly accuracy: number
  readonly averages: Readonly<Record<'precision' | 'recall' | 'f1' | 'accuracy', Averages>>
}

export function classify(cells: readonly ConfusionCell[]): Classification {
  const tallies = tally(cells)
  const rows = cells.reduce((sum, { count }) => sum + count, 0)
  const hits = [...tallies.values()].reduce((sum, one) => sum + one.hits, 0)
  const classes = [...tallies]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, counts]) => classMetrics(label, counts, rows))
  // With one label per row, a false positive of one class is a false negative of another: all micro averages agree.
  const micro = share(hits, rows)
  const averageOf = (metric: 'precision' | 'recall' | 'f1' | 'accuracy'): Averages => ({
    micro,
    macro: share(
      classes.reduce((sum, one) => sum + one[metric], 0),
      classes.length,
    ),
    weighted: share(
      classes.reduce((sum, one) => sum + one[metric] * one.support, 0),
      rows,
    ),
  })
  return {
    rows,
    hits,
    classes,
    accuracy: micro,
    averages: {
      precision: averageOf('precision'),
      recall: averageOf('recall'),
      f1: averageOf('f1'),
      accuracy: averageOf('accuracy'),
    },
  }
}

type Tally = { support: number; predicted: number; hits: number }

function tally(cells: readonly ConfusionCell[]): Map<string, Tally> {
  const tallies = new Map<string, Tally>()
  const of = (label: string): Tally => {
    const known = tallies.get(label)
    if (known !== undefined) return known
    const made = { support: 0, predicted: 0, hits: 0 }
    tallies.set(label, made)
    return made
  }
  for (const { trueValue, predictedValue, count } of cells) {
    of(trueValue).support += count
    of(predictedValue).predicted += count
    if (trueValue === predictedValue) of(trueValue).hits += count
  }
  return tallies
}

function classMetrics(label: string, counts: Tally, rows: number): ClassMetrics {
  const { support, predicted, hits } = counts
  // Neither said nor true: what is left after both, counting the hits once.
  const trueNegatives = rows - support - predicted + hits
  return {
    label,
    ...counts,
    precision: share(hits, predicted),
    recall: share(hits, support),
    f1: share(2 * hits, support + predicted),
    accuracy: share(hits + trueNegatives, rows),
  }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
