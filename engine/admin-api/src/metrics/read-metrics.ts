import { DAY_MS, HOUR_MS } from '@kre/contracts'
import type { PredictionCounts } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { parseRange } from '../traffic/parse-range.ts'
import { requireVersion } from '../versions/version-state.ts'
import { classify, type Classification } from './classification.ts'

/** Ranges up to this are shown by the hour, longer ones by the day. */
const HOURLY_MS_MAX = 7 * DAY_MS

export type PredictionMetrics = {
  readonly classification: Classification
  readonly counts: PredictionCounts
}

/**
 * How good a version's predictions were in a range of time, both ends included; null when there are none.
 *
 * @throws KreError `not-found`, `invalid-argument` for a range, `failed-precondition` when the predictions have no
 *   classes.
 */
export async function readMetrics(
  deps: Pick<FeatureDeps, 'runtimes' | 'versions' | 'predictionStats' | 'now'>,
  query: {
    principal: Principal
    runtimeId: string
    versionName: string
    startDate: string
    endDate: string
  },
): Promise<PredictionMetrics | null> {
  const { principal, runtimeId, versionName } = query
  authorize(principal, 'view predictions', runtimeId)
  const range = parseRange(query.startDate, query.endDate, deps.now(), ['startDate', 'endDate'])
  const { name: version } = await requireVersion(deps, runtimeId, versionName)
  const isShort = range.to.getTime() - range.from.getTime() <= HOURLY_MS_MAX
  const counts = await deps.predictionStats.count(
    { runtimeId, version, ...range },
    isShort ? HOUR_MS : DAY_MS,
  )
  const classification = classify(counts.cells)
  const all = classification.rows + counts.missing + counts.newLabels
  return all === 0 ? null : { classification, counts }
}
