import { HOUR_MS, KreError } from '@kre/contracts'
import type { Collection, Document } from 'mongodb'
import {
  CONFUSION_CELLS_MAX,
  PREDICTION_BUCKETS_MAX,
  type PredictionBucket,
  type PredictionCounts,
  type PredictionQuery,
  type PredictionStats,
} from '../ports/prediction-stats.ts'
import type { MongoDatabases } from './mongo-databases.ts'
import { PREDICTIONS } from './outputs/collection-name.ts'
import { SEARCH_MS_MAX } from './outputs/find-documents.ts'
import type { DataDocument } from './outputs/output-document.ts'

type CellRow = { _id: { error: string; trueLabel: string; predictedLabel: string }; rows: number }
/** `at` is a number of hours, or a moment where buckets are no multiples of an hour. */
type TimeRow = { _id: { at: number | Date; isHit: boolean }; rows: number }

/** Counts by `$group` alone, on what each prediction was given to be counted by when it was written. */
export function createMongoPredictionStats(databases: MongoDatabases): PredictionStats {
  return {
    async count(query, bucketMs) {
      const rows = databases.data(query.runtimeId).collection<DataDocument>(PREDICTIONS)
      return {
        ...(await countCells(rows, query)),
        buckets: await countTimes(rows, query, bucketMs),
      }
    },
  }
}

function matching({ version, from, to }: PredictionQuery): Document {
  return {
    '_kre.kind': { $eq: 'prediction' },
    versionName: { $eq: version },
    date: { $gte: from, $lte: to },
  }
}

async function countCells(
  rows: Collection<DataDocument>,
  query: PredictionQuery,
): Promise<Omit<PredictionCounts, 'buckets'>> {
  const label = (name: string) => `$_kre.counted.${name}`
  const by = {
    error: '$error',
    trueLabel: label('trueLabel'),
    predictedLabel: label('predictedLabel'),
  }
  const groups = rows.aggregate<CellRow>(
    [{ $match: matching(query) }, { $group: { _id: by, rows: { $sum: 1 } } }],
    { maxTimeMS: SEARCH_MS_MAX, allowDiskUse: true },
  )
  const counts: Omit<PredictionCounts, 'buckets'> = { cells: [], missing: 0, newLabels: 0 }
  for await (const { _id, rows: count } of groups) {
    if (_id.error === 'missing_values') counts.missing += count
    else if (_id.error === 'new_labels') counts.newLabels += count
    else {
      const { trueLabel: trueValue, predictedLabel: predictedValue } = _id
      counts.cells.push({ trueValue, predictedValue, count })
    }
    if (counts.cells.length > CONFUSION_CELLS_MAX) throw noClasses()
  }
  return counts
}

async function countTimes(
  rows: Collection<DataDocument>,
  query: PredictionQuery,
  bucketMs: number,
): Promise<PredictionBucket[]> {
  const at = bucketMs % HOUR_MS === 0 ? '$_kre.counted.hour' : '$date'
  const groups = rows.aggregate<TimeRow>(
    [
      { $match: { ...matching(query), error: { $eq: '' } } },
      { $group: { _id: { at, isHit: '$_kre.counted.isHit' }, rows: { $sum: 1 } } },
    ],
    { maxTimeMS: SEARCH_MS_MAX, allowDiskUse: true },
  )
  const buckets = new Map<number, PredictionBucket>()
  for await (const { _id, rows: count } of groups) {
    const ms = typeof _id.at === 'number' ? _id.at * HOUR_MS : _id.at.getTime()
    const begin = Math.floor(ms / bucketMs) * bucketMs
    const bucket = buckets.get(begin) ?? { at: new Date(begin), hits: 0, misses: 0 }
    bucket[_id.isHit ? 'hits' : 'misses'] += count
    buckets.set(begin, bucket)
    if (buckets.size > PREDICTION_BUCKETS_MAX) throw tooManyBuckets()
  }
  return [...buckets.values()].toSorted((a, b) => a.at.getTime() - b.at.getTime())
}

function noClasses(): KreError {
  return new KreError(
    'failed-precondition',
    `the predictions have more than ${CONFUSION_CELLS_MAX} different pairs of predicted and true value: metrics are for classes, and these values look like numbers or texts. Choose a shorter range, or save classes`,
    { cellsMax: CONFUSION_CELLS_MAX },
  )
}

function tooManyBuckets(): KreError {
  return new KreError(
    'failed-precondition',
    `the range has more than ${PREDICTION_BUCKETS_MAX} steps of time: choose a shorter one`,
    { bucketsMax: PREDICTION_BUCKETS_MAX },
  )
}
