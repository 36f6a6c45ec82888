export type PredictionQuery = {
  runtimeId: string
  version: string
  /** Inclusive, as is `to`. */
  from: Date
  to: Date
}

/** Predictions without an error, by what they said and what was true. */
export type ConfusionCell = { trueValue: string; predictedValue: string; count: number }

/** Predictions without an error, by time. */
export type PredictionBucket = { at: Date; hits: number; misses: number }

export type PredictionCounts = {
  /** Every cell that is not empty, in no order. */
  cells: ConfusionCell[]
  /** Predictions whose `error` is `missing_values`. */
  missing: number
  /** Predictions whose `error` is `new_labels`. */
  newLabels: number
  /** Every bucket that is not empty, oldest first; `at` is a multiple of `bucketMs` since 1970. */
  buckets: PredictionBucket[]
}

/** Pairs of labels in one answer: 100 classes that are all mistaken for each other. */
export const CONFUSION_CELLS_MAX = 10_000
/** Buckets of time in one answer: a year of hours. */
export const PREDICTION_BUCKETS_MAX = 10_000

/**
 * Counts of predictions, made where the rows are: memory is bounded by the two limits above, however many rows there
 * are. MongoDB: `$match`, `$group` by the three fields, `$sum`.
 */
export interface PredictionStats {
  /**
   * @param bucketMs width of a bucket of time, in milliseconds.
   * @throws KreError `failed-precondition` for more cells or buckets than the limits allow: what is predicted has no
   *   classes, or the range is too long.
   */
  count(query: PredictionQuery, bucketMs: number): Promise<PredictionCounts>
}
