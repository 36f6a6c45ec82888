/** What ModelStatistics tells of a model: its inferences that this entrypoint has answered or failed. */
import { wallClockMs } from '@kre/service-kit/runner'
import type { Model } from './model.ts'

/** Times are in ms, and of all inferences together. */
export type ModelStatistics = {
  /** Of the last inference, since 1970; 0 = there was none. */
  lastUnixMs: number
  succeeded: number
  succeededMs: number
  failed: number
  failedMs: number
  /** Tensors to the request's message, of those that succeeded. */
  inputMs: number
  /** On the way through the workflow, waiting for nodes included. */
  inferMs: number
  /** The answer's messages to tensors. */
  outputMs: number
}

/** The clocks of one inference. */
export type InferenceTimes = {
  /** Monotonic ms. */
  readonly startedAt: number
  submittedAt: number
  outputMs: number
}

const known = new WeakMap<Model, ModelStatistics>()

/** Counted from when this process began to serve the model's version. */
export function statisticsOf(model: Model): ModelStatistics {
  let statistics = known.get(model)
  if (statistics === undefined) {
    statistics = {
      lastUnixMs: 0,
      succeeded: 0,
      succeededMs: 0,
      failed: 0,
      failedMs: 0,
      inputMs: 0,
      inferMs: 0,
      outputMs: 0,
    }
    known.set(model, statistics)
  }
  return statistics
}

export function startTimes(): InferenceTimes {
  const startedAt = performance.now()
  return { startedAt, submittedAt: startedAt, outputMs: 0 }
}

export function countSuccess(model: Model, times: InferenceTimes): void {
  const statistics = statisticsOf(model)
  const now = performance.now()
  statistics.lastUnixMs = wallClockMs()
  statistics.succeeded++
  statistics.succeededMs += now - times.startedAt
  statistics.inputMs += times.submittedAt - times.startedAt
  statistics.inferMs += now - times.submittedAt - times.outputMs
  statistics.outputMs += times.outputMs
}

export function countFailure(model: Model, times: InferenceTimes): void {
  const statistics = statisticsOf(model)
  statistics.lastUnixMs = wallClockMs()
  statistics.failed++
  statistics.failedMs += performance.now() - times.startedAt
}

type Duration = { count: number; ns: number }

/** Of a model in the words of Triton's extension. */
export type StatisticsDescription = {
  name: string
  version: string
  /** Unix ms. */
  last_inference: number
  inference_count: number
  execution_count: number
  inference_stats: Record<string, Duration>
}

export function describeStatistics(
  name: string,
  version: string,
  statistics: ModelStatistics,
): StatisticsDescription {
  const { succeeded, failed } = statistics
  const duration = (count: number, ms: number): Duration => ({ count, ns: Math.round(ms * 1e6) })
  return {
    name,
    version,
    last_inference: Math.round(statistics.lastUnixMs),
    inference_count: succeeded,
    execution_count: succeeded,
    inference_stats: {
      success: duration(succeeded, statistics.succeededMs),
      fail: duration(failed, statistics.failedMs),
      // The entrypoint has no queue of its own; what waits for nodes is a part of compute_infer.
      queue: duration(succeeded, 0),
      compute_input: duration(succeeded, statistics.inputMs),
      compute_infer: duration(succeeded, statistics.inferMs),
      compute_output: duration(succeeded, statistics.outputMs),
      cache_hit: duration(0, 0),
      cache_miss: duration(0, 0),
    },
  }
}
