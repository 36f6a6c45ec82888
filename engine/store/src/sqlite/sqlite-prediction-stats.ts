import { setImmediate as nextTurn } from 'node:timers/promises'
import { KreError } from '@kre/contracts'
import {
  CONFUSION_CELLS_MAX,
  PREDICTION_BUCKETS_MAX,
  type ConfusionCell,
  type PredictionBucket,
  type PredictionQuery,
  type PredictionStats,
} from '../ports/prediction-stats.ts'
import type { Database, Row } from './database.ts'

/** Rows counted before other work of the process gets its turn. */
const SLICE_ROWS = 10_000

type CellRow = Row & { error: string; true_value: string; predicted_value: string; rows: number }
type BucketRow = Row & { at_ms: number; hits: number; misses: number }
type Position = { dateMs: number; seq: number }

/** Counts in slices of the index by date, so that a year of predictions blocks nobody for long. */
export function createSqlitePredictionStats(db: Database): PredictionStats {
  return {
    async count(query, bucketMs) {
      const sums = createSums()
      let low: Position | null = { dateMs: query.from.getTime(), seq: -1 }
      while (low !== null) {
        const end: Position | null = sliceEnd(db, query, low)
        const slice = params(query, low, end)
        for (const row of cellsOf(db, slice)) sums.addCell(row)
        for (const row of bucketsOf(db, slice, bucketMs)) sums.addBucket(row)
        low = end
        if (end !== null) await nextTurn()
      }
      return sums.counts()
    },
  }
}

const IN_SLICE = `runtime_id = ? AND version = ? AND (date_ms, seq) > (?, ?) AND (date_ms, seq) <= (?, ?)`
type SliceParams = readonly [string, string, number, number, number, number]

function params(query: PredictionQuery, low: Position, end: Position | null): SliceParams {
  const high = end ?? { dateMs: query.to.getTime(), seq: Number.MAX_SAFE_INTEGER }
  return [query.runtimeId, query.version, low.dateMs, low.seq, high.dateMs, high.seq]
}

/** Position of the slice's last row; null = what is left is less than a slice. */
function sliceEnd(db: Database, query: PredictionQuery, low: Position): Position | null {
  const row = db.get<Row & { date_ms: number; seq: number }>(
    `SELECT date_ms, seq FROM predictions WHERE ${IN_SLICE} ORDER BY date_ms, seq LIMIT 1 OFFSET ${SLICE_ROWS - 1}`,
    ...params(query, low, null),
  )
  return row === null ? null : { dateMs: row.date_ms, seq: row.seq }
}

function cellsOf(db: Database, slice: SliceParams): CellRow[] {
  return db.all<CellRow>(
    `SELECT error, true_value, predicted_value, count(*) AS rows FROM predictions WHERE ${IN_SLICE}
     GROUP BY error, true_value, predicted_value`,
    ...slice,
  )
}

function bucketsOf(db: Database, slice: SliceParams, bucketMs: number): BucketRow[] {
  // The remainder of a moment before 1970 is negative.
  return db.all<BucketRow>(
    `SELECT date_ms - ((date_ms % ?1) + ?1) % ?1 AS at_ms,
       sum(true_value = predicted_value) AS hits, sum(true_value <> predicted_value) AS misses
     FROM predictions WHERE error = '' AND runtime_id = ?2 AND version = ?3
       AND (date_ms, seq) > (?4, ?5) AND (date_ms, seq) <= (?6, ?7)
     GROUP BY 1`,
    bucketMs,
    ...slice,
  )
}

function createSums() {
  const cells = new Map<string, ConfusionCell>()
  const buckets = new Map<number, PredictionBucket>()
  const errors: Record<string, number> = {}
  return {
    addCell({ error, true_value: trueValue, predicted_value: predictedValue, rows }: CellRow) {
      if (error !== '') {
        errors[error] = (errors[error] ?? 0) + rows
        return
      }
      const key = JSON.stringify([trueValue, predictedValue])
      const cell = cells.get(key)
      if (cell !== undefined) cell.count += rows
      else cells.set(key, { trueValue, predictedValue, count: rows })
      if (cells.size > CONFUSION_CELLS_MAX)
        throw new KreError(
          'failed-precondition',
          `the predictions have more than ${CONFUSION_CELLS_MAX} different pairs of predicted and true value: metrics are for classes, and these values look like numbers or texts. Choose a shorter range, or save classes`,
          { cellsMax: CONFUSION_CELLS_MAX },
        )
    },
    addBucket({ at_ms: atMs, hits, misses }: BucketRow) {
      const bucket = buckets.get(atMs)
      if (bucket === undefined) buckets.set(atMs, { at: new Date(atMs), hits, misses })
      else {
        bucket.hits += hits
        bucket.misses += misses
      }
      if (buckets.size > PREDICTION_BUCKETS_MAX)
        throw new KreError(
          'failed-precondition',
          `the range has more than ${PREDICTION_BUCKETS_MAX} steps of time: choose a shorter one`,
          { bucketsMax: PREDICTION_BUCKETS_MAX },
        )
    },
    counts: () => ({
      cells: [...cells.values()],
      missing: errors['missing_values'] ?? 0,
      newLabels: errors['new_labels'] ?? 0,
      buckets: [...buckets.values()].toSorted((a, b) => a.at.getTime() - b.at.getTime()),
    }),
  }
}
