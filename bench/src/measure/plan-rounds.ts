/** How long each part of a suite is measured, so that the whole of it takes a time that people wait for. */

export type RoundPlan = {
  rounds: number
  /** Per case, before the first round: enough to have its code compiled. */
  warmUpSeconds: number
  /** Of load, per case and round. */
  loadSeconds: number
  /** Of requests one at a time, per case and round; 0 = none. */
  aloneSeconds: number
}
export type RoundPlanOptions = {
  isQuick: boolean
  /** Null = as many as are usual. */
  rounds: number | null
  /** Whether latency is taken one request at a time, beside the load. */
  hasAlone: boolean
  /** For all of it, the start of the engine not included. */
  budgetSeconds?: number
}

/** Three minutes less the start and the end of an engine, and what a busy computer takes longer. */
const BUDGET_SECONDS = 130
const ROUNDS = 5
const ROUNDS_QUICK = 2
/** The part of the time in which nothing is measured yet. */
const WARM_UP_SHARE = 0.25
const WARM_UP_SECONDS_MAX = 6
/** Shorter, the clock of processor time (10 ms) would show; longer tells no more. */
const LOAD_SECONDS = [0.5, 3] as const
const ALONE_SHARE = 1 / 3

/** Times per case and round get shorter the more cases there are; `rounds` of one's own make the suite longer. */
export function planRounds(cases: number, options: RoundPlanOptions): RoundPlan {
  const { isQuick, hasAlone, budgetSeconds = BUDGET_SECONDS } = options
  const rounds = options.rounds ?? (isQuick ? ROUNDS_QUICK : ROUNDS)
  if (isQuick)
    return { rounds, warmUpSeconds: 1.5, loadSeconds: 0.7, aloneSeconds: hasAlone ? 0.3 : 0 }
  const each = budgetSeconds / Math.max(1, cases)
  const measured = (each * (1 - WARM_UP_SHARE)) / ROUNDS
  const [least, most] = LOAD_SECONDS
  const loadSeconds = clamp(measured * (hasAlone ? 1 - ALONE_SHARE : 1), least, most)
  return {
    rounds,
    warmUpSeconds: clamp(each * WARM_UP_SHARE, 1, WARM_UP_SECONDS_MAX),
    loadSeconds,
    aloneSeconds: hasAlone ? (loadSeconds * ALONE_SHARE) / (1 - ALONE_SHARE) : 0,
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
