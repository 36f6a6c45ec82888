import type { MeasurementRecord } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { parseRange } from '../traffic/parse-range.ts'
import { requireVersion } from '../versions/version-state.ts'

/** Points in one answer; the newest. */
const POINTS_MAX = 1_000
const NAMES_MAX = 1_000

type ReadMeasurementsDeps = Pick<FeatureDeps, 'runtimes' | 'versions' | 'outputs' | 'now'>
type OfVersion = { principal: Principal; runtimeId: string; versionName: string }

/**
 * Points of one of a version's measurements, oldest first: the newest of the range, both ends included.
 *
 * @throws KreError `not-found`, `invalid-argument` for a range.
 */
export async function readMeasurements(
  deps: ReadMeasurementsDeps,
  query: OfVersion & { measurement: string; from: string; to?: string | null | undefined },
): Promise<MeasurementRecord[]> {
  const { principal, runtimeId, versionName, measurement } = query
  authorize(principal, 'view measurements', runtimeId)
  const range = parseRange(query.from, query.to, deps.now())
  const { name } = await requireVersion(deps, runtimeId, versionName)
  const points = await deps.outputs.measurements(runtimeId, name, measurement, POINTS_MAX, range)
  return points.toReversed()
}

/** Names of a version's measurements, ascending. @throws KreError `not-found`. */
export async function listMeasurementNames(
  deps: ReadMeasurementsDeps,
  query: OfVersion,
): Promise<string[]> {
  const { principal, runtimeId, versionName } = query
  authorize(principal, 'view measurements', runtimeId)
  const { name } = await requireVersion(deps, runtimeId, versionName)
  return deps.outputs.measurementNames(runtimeId, name, NAMES_MAX)
}
