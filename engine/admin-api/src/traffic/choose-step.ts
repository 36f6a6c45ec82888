/** Which of the kept resolutions answers a question. Pure. */
import { KreError } from '@kre/contracts'
import { TRAFFIC_RESOLUTIONS } from '@kre/store'

/** Points of one series in one answer: more than a chart is wide. */
export const POINTS_MAX = 1_500
const POINTS_DEFAULT = 300

export type Step = {
  /** What the store is asked for. */
  readonly storedMs: number
  /** What is answered: a multiple of it. */
  readonly stepMs: number
}

/**
 * The finest steps that are kept for all of the range, as wide as asked for.
 *
 * @param askedMs null = as many points as a chart takes.
 * @throws KreError `invalid-argument` for more than `POINTS_MAX` points.
 */
export function chooseStep(
  range: { from: Date; to: Date },
  askedMs: number | null,
  now: Date,
): Step {
  const spanMs = range.to.getTime() - range.from.getTime()
  const wantedMs = askedMs ?? spanMs / POINTS_DEFAULT
  const ageMs = now.getTime() - range.from.getTime()
  const kept = TRAFFIC_RESOLUTIONS.filter(({ keepMs }) => keepMs >= ageMs)
  const candidates = kept.length > 0 ? kept : TRAFFIC_RESOLUTIONS.slice(-1)
  // The widest that is not wider than wanted; the finest one when all are.
  const stored = candidates.findLast(({ stepMs }) => stepMs <= wantedMs) ?? candidates[0]
  const storedMs = stored?.stepMs ?? TRAFFIC_RESOLUTIONS[0].stepMs
  const stepMs = Math.max(1, Math.ceil(wantedMs / storedMs)) * storedMs
  if (spanMs / stepMs > POINTS_MAX)
    throw new KreError(
      'invalid-argument',
      `the range holds ${Math.ceil(spanMs / stepMs)} steps of ${stepMs / 1_000} s, and at most ${POINTS_MAX} are answered: choose longer steps or a shorter range`,
      { pointsMax: POINTS_MAX },
    )
  return { storedMs, stepMs }
}
