import type { Averages, Classification } from '../metrics/classification.ts'
import type { PredictionMetrics } from '../metrics/read-metrics.ts'

/** Classes in the charts: more are no picture. The numbers count all of them. */
const CHART_CLASSES_MAX = 100

/** KRE's `Metrics`: whole percents, and numbers of charts as text. What it is made of comes unrounded beside it. */
export function toGraphqlMetrics({ classification, counts }: PredictionMetrics) {
  const { rows, hits, accuracy, averages } = classification
  const all = rows + counts.missing + counts.newLabels
  return {
    values: {
      accuracy: percents({ total: accuracy, ...averages.accuracy }),
      missing: percent(counts.missing / all),
      newLabels: percent(counts.newLabels / all),
    },
    charts: toCharts(classification, counts),
    rows: all,
    hits,
    misses: rows - hits,
    averages,
    classes: classification.classes,
  }
}

function toCharts({ classes }: Classification, { cells, buckets }: PredictionMetrics['counts']) {
  const charted = classes
    .toSorted((a, b) => b.support - a.support)
    .slice(0, CHART_CLASSES_MAX)
    .toSorted((a, b) => (a.label < b.label ? -1 : 1))
  const series = (valueOf: (one: Classification['classes'][number]) => number) =>
    charted.map((one) => ({ x: String(valueOf(one)), y: one.label, z: '' }))
  const count = new Map(
    cells.map((cell) => [JSON.stringify([cell.trueValue, cell.predictedValue]), cell.count]),
  )
  return {
    confusionMatrix: charted.flatMap((truth) =>
      charted.map((said) => {
        const inCell = count.get(JSON.stringify([truth.label, said.label])) ?? 0
        const share = truth.support === 0 ? 0 : inCell / truth.support
        return { x: said.label, y: truth.label, z: String(percent(share)) }
      }),
    ),
    seriesAccuracy: series((one) => percent(one.accuracy)),
    seriesRecall: series((one) => percent(one.recall)),
    seriesSupport: series((one) => one.support),
    seriesPrecision: series((one) => percent(one.precision)),
    seriesF1: series((one) => percent(one.f1)),
    successVsFails: buckets.map(({ at, hits, misses }) => ({
      x: at.toISOString(),
      y: String(hits),
      z: String(misses),
    })),
  }
}

function percents(shares: Averages & { total: number }) {
  const { total, micro, macro, weighted } = shares
  return {
    total: percent(total),
    micro: percent(micro),
    macro: percent(macro),
    weighted: percent(weighted),
  }
}

function percent(share: number): number {
  return Math.round(share * 100)
}
