/** How long each part of a suite is measured, so that the whole of it takes a time that people wait for. */

export type RoundPlan = {
  rounds: number
  /** Per case, before the first round: enough to have its code compiled. */
  warmUpSeconds: number
  /** Of load right before the measured one, per case and round: processes that had a pause are slow at first. */
  runInSeconds: number
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
/** Of the time of a load: a plain echo, too, costs half as much again in the first half second after a pause. */
const RUN_IN_SHARE = 1 / 3
const RUN_IN_SECONDS_MAX = 1
const ALONE_SHARE = 1 / 3

/** Times per case and round get shorter the more cases there are; `rounds` of one's own make the suite longer. */
export function planRounds(cases: number, options: RoundPlanOptions): RoundPlan {
  const { isQuick, hasAlone, budgetSeconds = BUDGET_SECONDS } = options
  const rounds = options.rounds ?? (isQuick ? ROUNDS_QUICK : ROUNDS)
  if (isQuick)
    return {
      rounds,
      warmUpSeconds: 1.5,
      runInSeconds: 0.3,
      loadSeconds: 0.7,
      aloneSeconds: hasAlone ? 0.3 : 0,
    }
  const each = budgetSeconds / Math.max(1, cases)
  const measured = (each * (1 - WARM_UP_SHARE)) / ROUNDS
  const [least, most] = LOAD_SECONDS
  const aloneSeconds = hasAlone ? clamp(measured * ALONE_SHARE, least / 2, most / 2) : 0
  const loaded = measured - aloneSeconds
  const runInSeconds = Math.min(RUN_IN_SECONDS_MAX, loaded * RUN_IN_SHARE)
  return {
    rounds,
    warmUpSeconds: clamp(each * WARM_UP_SHARE, 1, WARM_UP_SECONDS_MAX),
    runInSeconds,
    loadSeconds: clamp(loaded - runInSeconds, least, most),
    aloneSeconds,
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
