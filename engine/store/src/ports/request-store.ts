import type { KeptReason } from '@kre/contracts'

/** One message in one node, on the way of a kept request. Times in milliseconds. */
export type RequestStep = {
  /** The same for every report of it. */
  id: string
  workflow: string
  node: string
  /** The node that sent the message, or `entrypoint`. */
  fromNode: string
  attempt: number
  arrivedAt: Date
  /** From its sending to its arrival, by the clocks of both; null = not known. */
  transportMs: number | null
  queueMs: number
  handlerMs: number
  ok: boolean
  /** Of the message's payload. */
  bytes: number
}

/** A request that was kept for people to look at. */
export type KeptRequest = {
  id: string
  runtimeId: string
  version: string
  workflow: string
  /** Why it was kept. */
  kept: KeptReason
  startedAt: Date
  elapsedMs: number
  /** Of that, time in handlers on the way of its answer. */
  handlerMs: number
  /** Name of the gRPC status: `OK`, `DEADLINE_EXCEEDED` … */
  status: string
  /** What the caller was told; empty for `OK`. */
  message: string
  /** Deliveries: more than 1 when it was sent again. */
  attempts: number
  requestBytes: number
  /** By arrival. */
  steps: RequestStep[]
}

export type RequestQuery = {
  runtimeId: string
  version: string
  workflow?: string
  statuses?: readonly string[]
  kept?: readonly KeptReason[]
  /** Those that took at least so long, in milliseconds. */
  elapsedMsMin?: number
  /** Of their beginning; inclusive, as is `to`. */
  from?: Date
  to?: Date
  limit: number
}

/** Requests in one answer; a larger limit gets this many. */
export const REQUESTS_LISTED_MAX = 1_000
/** Requests that are kept per version and reason, the newest. */
export const REQUESTS_KEPT_MAX: Readonly<Record<KeptReason, number>> = {
  failed: 1_000,
  slow: 1_000,
  sample: 500,
}
/** Steps of one request that are kept, the first that come. */
export const REQUEST_STEPS_MAX = 200

/**
 * Requests that were kept as examples of what went on, with their steps; a bounded ring per version and reason.
 * MongoDB: one document per request with `_id` `<runtime>/<version>/<request>`, steps as an array by `$push`.
 */
export interface RequestStore {
  /** A request that is there already stays as it is. The oldest beyond `REQUESTS_KEPT_MAX` go. */
  keep(requests: readonly Omit<KeptRequest, 'steps'>[]): Promise<void>
  /** Steps of requests that are not kept are dropped, as are those that are there already. */
  addSteps(
    runtimeId: string,
    version: string,
    steps: readonly { requestId: string; step: RequestStep }[],
  ): Promise<void>
  /** Newest first, without their steps; at most 1000. */
  list(query: RequestQuery): Promise<Omit<KeptRequest, 'steps'>[]>
  find(runtimeId: string, requestId: string): Promise<KeptRequest | null>
  /** Removes those that began before; returns how many. */
  expire(olderThan: Date): Promise<number>
}
