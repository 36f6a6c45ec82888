import { openObserver, type LiveTraffic, type LogBounds } from '@kre/admin-api'
import {
  ALL_KEPT_REQUESTS,
  ALL_METRICS,
  ALL_REQUEST_STEPS,
  ALL_WAKE_CALLS,
  SECOND_MS,
} from '@kre/contracts'
import type { Autoscaler } from '@kre/converger'
import { createMetricsCollector, type connectNats, type Logger } from '@kre/service-kit'
import type { Store } from '@kre/store'
import type { NatsSide } from './nats-side.ts'

type Nats = Awaited<ReturnType<typeof connectNats>>

export type Observed = AsyncDisposable & {
  /** In Prometheus's text format. */
  metrics(): string
  live: LiveTraffic
}

/**
 * Adds up what processes report and stores it, from where the engine before had got to.
 *
 * @param deps.mayStore asked before each write: false = it is left out. What it throws is tried again.
 * @param deps.natsServer what is told of it to Prometheus.
 * @param deps.autoscaler hears what processes say of their load, and who asks for nodes that sleep. Absent = nobody acts
 * on it here.
 */
export async function observe(deps: {
  store: Store
  nats: Nats
  logger: Logger
  logBounds: LogBounds
  mayStore: () => boolean
  natsServer: Pick<NatsSide, 'certificatesEndAt'>
  autoscaler?: Autoscaler
}): Promise<Observed> {
  const { nats, logger, logBounds, autoscaler } = deps
  const store = gated(deps.store, deps.mayStore)
  const collector = createMetricsCollector(
    Date.now,
    (increment) => {
      observer.count(increment)
      autoscaler?.count(increment)
    },
    (reading) => {
      observer.read(reading)
      autoscaler?.read(reading)
    },
    () => [...(autoscaler?.gauges() ?? []), ...certificateGauge(deps.natsServer)],
  )
  const observer = await openObserver({
    store,
    collector,
    logger,
    logBounds,
    publish: (subject, data) => nats.publish(subject, data),
  })
  const ends = [
    hear(nats, ALL_METRICS, (subject, data) => collector.accept(data, subject)),
    hear(nats, ALL_KEPT_REQUESTS, observer.kept),
    hear(nats, ALL_REQUEST_STEPS, observer.steps),
    hear(nats, ALL_WAKE_CALLS, (subject, data) => autoscaler?.called(subject, data)),
  ]
  return {
    metrics: () => collector.expose(),
    live: observer.live,
    async [Symbol.asyncDispose]() {
      for (const end of ends) end()
      await observer[Symbol.asyncDispose]()
    },
  }
}

/** None without TLS. */
function certificateGauge({ certificatesEndAt }: Pick<NatsSide, 'certificatesEndAt'>) {
  const endsAt = certificatesEndAt()
  if (endsAt === null) return []
  return [{ name: 'kre_nats_certificate_end_time_seconds', labels: {}, value: endsAt / SECOND_MS }]
}

/** Hands every message on the subject over, until the connection or the returned function ends it. */
function hear(
  nats: Nats,
  subject: string,
  take: (subject: string, data: Uint8Array) => void,
): () => void {
  const subscription = nats.subscribe(subject, {
    callback(error, message) {
      if (error === null) take(message.subject, message.data)
    },
  })
  return () => {
    if (!nats.isClosed()) subscription.unsubscribe()
  }
}

/** The store for an observer, whose writes are asked about. */
function gated(store: Store, mayStore: () => boolean): Store {
  const { traffic, requests, samples, heardTotals, logRetention } = store
  return {
    ...store,
    traffic: {
      ...traffic,
      add: async (...args) => (mayStore() ? traffic.add(...args) : undefined),
      expire: async (now) => (mayStore() ? traffic.expire(now) : 0),
    },
    requests: {
      ...requests,
      keep: async (all) => (mayStore() ? requests.keep(all) : undefined),
      addSteps: async (...args) => (mayStore() ? requests.addSteps(...args) : undefined),
      expire: async (olderThan) => (mayStore() ? requests.expire(olderThan) : 0),
    },
    samples: {
      ...samples,
      add: async (...args) => (mayStore() ? samples.add(...args) : undefined),
      expire: async (...args) => (mayStore() ? samples.expire(...args) : 0),
    },
    heardTotals: {
      ...heardTotals,
      put: async (totals) => (mayStore() ? heardTotals.put(totals) : undefined),
      expire: async (olderThan) => (mayStore() ? heardTotals.expire(olderThan) : 0),
    },
    logRetention: {
      ...logRetention,
      trim: async (runtimeId, to) =>
        mayStore() ? logRetention.trim(runtimeId, to) : { byAge: 0, bySize: 0, bytes: 0 },
    },
  }
}
