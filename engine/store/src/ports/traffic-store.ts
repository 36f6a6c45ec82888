import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '@kre/contracts'

/**
 * `duration`: from a whole request to its answer (workflows); `overhead`: of that, the time that is not in handlers;
 * `transport`: from sending to arrival (nodes, edges); `queue`: from arrival to handler; `handler`: in it (nodes).
 */
export const TRAFFIC_TIMES = ['duration', 'overhead', 'transport', 'queue', 'handler'] as const
export type TrafficTime = (typeof TRAFFIC_TIMES)[number]

/** Observations in each bucket of `HISTOGRAM_BOUNDS_S` and above the last, and their sum in seconds. */
export type TimesCount = { buckets: number[]; sumS: number }

export type TrafficCounts = {
  /** Requests of a workflow, calls of a node, messages of an edge; those that failed included. */
  calls: number
  errors: number
  times: Partial<Record<TrafficTime, TimesCount>>
  /** Of a node: the most messages that waited for a handler at one moment. Absent = none waited. */
  queuedMax?: number
}

/** A workflow (`node` null), one of its nodes (`from` null), or the edge from a node or `entrypoint` to a node. */
export type TrafficScope = { workflow: string; node: string | null; from: string | null }

export type TrafficSample = TrafficScope & TrafficCounts & { at: Date }

/** Counts are kept in steps of `stepMs` for `keepMs`; every addition counts in all of them. */
export const TRAFFIC_RESOLUTIONS = [
  { stepMs: 5 * SECOND_MS, keepMs: HOUR_MS },
  { stepMs: MINUTE_MS, keepMs: 2 * DAY_MS },
  { stepMs: 15 * MINUTE_MS, keepMs: 30 * DAY_MS },
  { stepMs: 6 * HOUR_MS, keepMs: 365 * DAY_MS },
] as const

/** Workflows, nodes and edges of one version that are counted; more come from no manifest. */
export const TRAFFIC_SCOPES_MAX = 1_000
/** Samples in one answer. */
export const TRAFFIC_SAMPLES_MAX = 100_000

/**
 * What versions did, over time. A sample counts in the step that its `at` is in: steps begin at multiples of their
 * width since 1970. MongoDB: one document per step and scope, `$inc` per number, `$max` for `queuedMax`.
 */
export interface TrafficStore {
  /** Adds to what is there: two additions to one step are its sum, and the larger `queuedMax`. Scopes beyond `TRAFFIC_SCOPES_MAX` are dropped. */
  add(runtimeId: string, version: string, samples: readonly TrafficSample[]): Promise<void>
  /**
   * Steps that begin in the range, oldest first; those in which nothing happened are left out. `at` is their begin.
   *
   * @param query.stepMs one of `TRAFFIC_RESOLUTIONS`.
   * @throws KreError `invalid-argument` for another step, `failed-precondition` above `TRAFFIC_SAMPLES_MAX`.
   */
  read(query: {
    runtimeId: string
    version: string
    /** Inclusive; `to` is exclusive. */
    from: Date
    to: Date
    stepMs: number
  }): Promise<TrafficSample[]>
  /** Removes the steps that are older than their resolution is kept; returns how many. */
  expire(now: Date): Promise<number>
}
