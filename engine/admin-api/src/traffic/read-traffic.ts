import { KreError, SECOND_MS } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'
import { chooseStep } from './choose-step.ts'
import { parseRange } from './parse-range.ts'
import { sumTraffic, type TrafficSeries } from './sum-traffic.ts'

type ReadTrafficDeps = Pick<FeatureDeps, 'runtimes' | 'versions' | 'traffic' | 'now'>

export type ReadTraffic = {
  principal: Principal
  runtimeId: string
  versionName: string
  from: string
  /** Absent = up to now. */
  to?: string | null | undefined
  /** Width of a point in seconds. Absent = as a chart takes them. */
  step?: number | null | undefined
}

export type Traffic = {
  from: Date
  to: Date
  stepMs: number
  series: TrafficSeries[]
}

/**
 * What a version did in a range of time, at the finest resolution that is kept for all of it.
 *
 * @throws KreError `not-found`, `invalid-argument` for a range or a step.
 */
export async function readTraffic(deps: ReadTrafficDeps, query: ReadTraffic): Promise<Traffic> {
  const { principal, runtimeId, versionName, step } = query
  authorize(principal, 'view traffic', runtimeId)
  const range = parseRange(query.from, query.to, deps.now())
  if (step !== null && step !== undefined && step < 1)
    throw new KreError('invalid-argument', 'step is a number of seconds from 1', { field: 'step' })
  const version = await requireVersion(deps, runtimeId, versionName)
  const askedMs = step === null || step === undefined ? null : step * SECOND_MS
  const { storedMs, stepMs } = chooseStep(range, askedMs, deps.now())
  // Whole steps: a sample in the middle of one belongs to it.
  const from = new Date(Math.floor(range.from.getTime() / stepMs) * stepMs)
  const samples = await deps.traffic.read({
    runtimeId,
    version: version.name,
    from,
    to: new Date(range.to.getTime() + 1),
    stepMs: storedMs,
  })
  return { from, to: range.to, stepMs, series: sumTraffic(samples, stepMs) }
}
