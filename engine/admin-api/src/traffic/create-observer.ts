import { DAY_MS, MINUTE_MS, SAMPLE_CALL_EVERY_MS, SECOND_MS } from '@kre/contracts'
import {
  PROCESS_FORGOTTEN_MS,
  type Increment,
  type Logger,
  type MetricsCollector,
  type Reading,
} from '@kre/service-kit'
import type { Store } from '@kre/store'
import { keepLogsBounded, type LogBounds } from '../logs/keep-logs-bounded.ts'
import { callForSamples } from '../samples/call-for-samples.ts'
import { createKnownVersions } from './known-versions.ts'
import { createRequestRecorder, type RequestRecorder } from './request-recorder.ts'
import { createTrafficRecorder, type TrafficRecorder } from './traffic-recorder.ts'

const REQUESTS_MS = SECOND_MS
const TRAFFIC_MS = 5 * SECOND_MS
const EXPIRE_MS = MINUTE_MS
const REQUESTS_KEPT_MS = 7 * DAY_MS
/** Contents of requests are not kept longer than somebody needs to look at them. */
const SAMPLES_KEPT_MS = DAY_MS
/** An engine that ends waits no longer for a slow store: another one is to lead, and none does as long as this one ends. */
const END_MS_MAX = 3 * SECOND_MS

/** Samples of the last complete seconds of a version. */
export type LiveTraffic = TrafficRecorder['live']

export type Observer = AsyncDisposable & {
  /** Takes what a metric grew by. */
  count(increment: Increment): void
  /** Takes what a gauge says. */
  read(reading: Reading): void
  kept: RequestRecorder['kept']
  steps: RequestRecorder['steps']
  live: LiveTraffic
}

/**
 * Keeps what is seen of running versions, and keeps it bounded: traffic, examples of requests, logs. One per store:
 * two of them would count everything twice.
 *
 * @param deps.publish may throw while the broker is away: nodes are told again.
 * @param deps.collector tells `count` what it adds up; what the engine before this one had heard is given to it.
 * @param deps.logBounds of runtimes that have none of their own.
 */
export async function openObserver(deps: {
  store: Pick<
    Store,
    'traffic' | 'requests' | 'samples' | 'runtimes' | 'versions' | 'logRetention' | 'heardTotals'
  >
  collector: Pick<MetricsCollector, 'takeHeard' | 'restore'>
  logger: Logger
  logBounds: LogBounds
  /** To nodes of versions. */
  publish: (subject: string, data: Uint8Array) => void
  now?: () => Date
  endMsMax?: number
}): Promise<Observer> {
  const { store, collector, logger, logBounds } = deps
  const now = deps.now ?? (() => new Date())
  const knownVersions = createKnownVersions(store, now)
  const forgottenBefore = () => new Date(now().getTime() - PROCESS_FORGOTTEN_MS)
  collector.restore(await store.heardTotals.since(forgottenBefore()))
  const traffic = createTrafficRecorder({
    store,
    knownVersions,
    logger,
    now,
    takeHeard: () => collector.takeHeard(),
  })
  const requests = createRequestRecorder({ store, knownVersions, logger, now })

  const expire = async () => {
    try {
      await store.traffic.expire(now())
      await store.heardTotals.expire(forgottenBefore())
      await store.requests.expire(new Date(now().getTime() - REQUESTS_KEPT_MS))
      await store.samples.expire(new Date(now().getTime() - SAMPLES_KEPT_MS), now())
    } catch (error) {
      logger.warn({ err: error }, 'old traffic not removed')
    }
    await keepLogsBounded({ store, logger, now }, logBounds)
  }
  const call = async () => {
    try {
      await callForSamples({ samples: store.samples, publish: deps.publish, now })
    } catch (error) {
      logger.warn({ err: error }, 'nodes not asked for samples')
    }
  }
  const storing = repeat(REQUESTS_MS, () => requests.flush())
  const counting = repeat(TRAFFIC_MS, () => traffic.flush())
  const expiring = repeat(EXPIRE_MS, expire)
  const calling = repeat(SAMPLE_CALL_EVERY_MS, call)

  return {
    count: (increment) => traffic.count(increment),
    read: (reading) => traffic.read(reading),
    kept: (subject, data) => requests.kept(subject, data),
    steps: (subject, data) => requests.steps(subject, data),
    live: (runtimeId, version, windowMs) => traffic.live(runtimeId, version, windowMs),
    async [Symbol.asyncDispose]() {
      const ends = [
        counting.end().then(() => traffic.flush()),
        storing.end().then(() => requests.flush()),
        expiring.end(),
        calling.end(),
      ]
      if (!(await endsWithin(deps.endMsMax ?? END_MS_MAX, ends)))
        logger.warn('the store is slow: the last counts and examples of requests may be lost')
    },
  }
}

async function endsWithin(ms: number, ends: readonly Promise<void>[]): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), ms)
  const all = Promise.all(ends).then(() => true)
  return Promise.race([all, late.promise]).finally(() => clearTimeout(timer))
}

/** Works every so often, one after the other; `end` waits for the work that runs. */
function repeat(everyMs: number, work: () => Promise<void>): { end(): Promise<void> } {
  let running = Promise.resolve()
  let isBusy = false
  const timer = setInterval(() => {
    if (isBusy) return
    isBusy = true
    running = work().finally(() => {
      isBusy = false
    })
  }, everyMs).unref()
  return {
    end() {
      clearInterval(timer)
      return running
    },
  }
}
