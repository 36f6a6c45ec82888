/** How counts of traffic are put into steps and added up. Pure, for every adapter. */
import { HISTOGRAM_BOUNDS_S, KreError } from '@kre/contracts'
import {
  TRAFFIC_RESOLUTIONS,
  TRAFFIC_SAMPLES_MAX,
  TRAFFIC_TIMES,
  type TimesCount,
  type TrafficCounts,
} from '../ports/traffic-store.ts'

const BUCKETS = HISTOGRAM_BOUNDS_S.length + 1

/** Begin of the step that a moment is in, in milliseconds since 1970. */
export function stepBegin(at: Date, stepMs: number): number {
  return Math.floor(at.getTime() / stepMs) * stepMs
}

/** @throws KreError `invalid-argument` for a step that is not kept. */
export function checkStep(stepMs: number): void {
  if (TRAFFIC_RESOLUTIONS.some((resolution) => resolution.stepMs === stepMs)) return
  throw new KreError(
    'invalid-argument',
    `traffic is not kept in steps of ${stepMs} ms, but of ${TRAFFIC_RESOLUTIONS.map((one) => one.stepMs).join(', ')} ms`,
    { stepMs },
  )
}

/** @throws KreError `failed-precondition` for more counts than one answer holds. */
export function checkSamples(found: number): void {
  if (found <= TRAFFIC_SAMPLES_MAX) return
  throw new KreError(
    'failed-precondition',
    `the range holds more than ${TRAFFIC_SAMPLES_MAX} counts: choose a shorter one, or longer steps`,
    { samplesMax: TRAFFIC_SAMPLES_MAX },
  )
}

/** The sum of two counts; of what waited, the longer queue. */
export function addCounts(a: TrafficCounts, b: TrafficCounts): TrafficCounts {
  const times: TrafficCounts['times'] = {}
  for (const name of TRAFFIC_TIMES) {
    const sum = addTimes(a.times[name], b.times[name])
    if (sum !== undefined) times[name] = sum
  }
  const queuedMax = Math.max(a.queuedMax ?? 0, b.queuedMax ?? 0)
  return {
    calls: a.calls + b.calls,
    errors: a.errors + b.errors,
    times,
    ...(queuedMax === 0 ? {} : { queuedMax }),
  }
}

function addTimes(a: TimesCount | undefined, b: TimesCount | undefined): TimesCount | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return {
    buckets: Array.from({ length: BUCKETS }, (_, i) => (a.buckets[i] ?? 0) + (b.buckets[i] ?? 0)),
    sumS: a.sumS + b.sumS,
  }
}
