import { ENTRYPOINT, SECOND_MS } from '@kre/contracts'
import type { HeardProcess, Increment, Logger, Reading } from '@kre/service-kit'
import {
  addCounts,
  TRAFFIC_RESOLUTIONS,
  type Store,
  type TrafficCounts,
  type TrafficSample,
  type TrafficScope,
} from '@kre/store'
import type { KnownVersions, VersionParts } from './known-versions.ts'
import { createQueueDepths } from './queue-depths.ts'
import { queueOf, trafficOf } from './traffic-scope.ts'

const SLOT_MS = SECOND_MS
/** Kept in memory for those who watch. */
const LIVE_SLOTS = 10
/** As fine as the store keeps it. */
const STORED_MS = TRAFFIC_RESOLUTIONS[0].stepMs
/** Samples that wait for a store that fails: some minutes of a busy engine. Newer ones are lost then. */
const WAITING_MAX = 50_000

export type TrafficRecorder = {
  /** Takes what a metric grew by. */
  count(increment: Increment): void
  /** Takes what a gauge says. */
  read(reading: Reading): void
  /** The last complete seconds of a version. @param windowMs at most 10 s. */
  live(runtimeId: string, version: string, windowMs: number): readonly TrafficSample[]
  /** Stores what is not stored yet. */
  flush(): Promise<void>
}

type Of = { readonly runtimeId: string; readonly version: string }
/** By scope and time. */
type Samples = Map<string, TrafficSample>

/** Adds counts up and hands them to the store; the last seconds stay for those who watch. */
export function createTrafficRecorder(deps: {
  store: Pick<Store, 'traffic' | 'heardTotals'>
  knownVersions: KnownVersions
  logger: Logger
  now: () => Date
  /** What the counts that came so far are part of; stored when they are. */
  takeHeard: () => HeardProcess[]
}): TrafficRecorder {
  const { store, logger, now } = deps
  /** Not stored yet, by process. */
  const heard = new Map<string, HeardProcess>()
  const live = createSlots(now)
  const queues = createQueueDepths(() => now().getTime())
  let waiting = new Map<string, Of & { samples: Samples }>()
  let waitingSamples = 0
  let dropped = 0

  const add = (of: Of, sample: TrafficSample) => {
    const key = keyOf(of)
    let version = waiting.get(key)
    if (version === undefined) waiting.set(key, (version = { ...of, samples: new Map() }))
    if (waitingSamples >= WAITING_MAX) {
      dropped += 1
      return
    }
    const before = version.samples.size
    addSample(version.samples, sample)
    waitingSamples += version.samples.size - before
  }

  return {
    count(increment) {
      const traffic = trafficOf(increment)
      if (traffic === null) return
      const { runtimeId, version, scope, counts } = traffic
      const of = { runtimeId, version }
      live.add(of, scope, counts)
      add(of, { ...scope, ...counts, at: beginOf(now(), STORED_MS) })
    },
    read(reading) {
      const queue = queueOf(reading)
      if (queue === null) return
      const { runtimeId, version, scope } = queue
      const of = { runtimeId, version }
      const queuedMax = queues.put(JSON.stringify([of, scope]), reading.process, reading.value)
      if (queuedMax === 0) return
      const counts: TrafficCounts = { calls: 0, errors: 0, times: {}, queuedMax }
      live.add(of, scope, counts)
      add(of, { ...scope, ...counts, at: beginOf(now(), STORED_MS) })
    },
    live: (runtimeId, version, windowMs) => live.read({ runtimeId, version }, windowMs),
    async flush() {
      for (const one of deps.takeHeard()) heard.set(one.process, one)
      const totals = [...heard.values()]
      if (waiting.size + totals.length === 0) return
      const taken = [...waiting.values()]
      waiting = new Map()
      waitingSamples = 0
      try {
        // One after the other: what is stored is not among what comes back when the next one fails.
        for (let next = taken[0]; next !== undefined; next = taken[0]) {
          const { runtimeId, version, samples } = next
          const parts = await deps.knownVersions(runtimeId, version)
          if (parts !== null)
            await store.traffic.add(runtimeId, version, known(parts, samples.values()))
          taken.shift()
        }
        await store.heardTotals.put(totals)
        for (const one of totals) if (heard.get(one.process) === one) heard.delete(one.process)
      } catch (error) {
        for (const { samples, ...of } of taken)
          for (const sample of samples.values()) add(of, sample)
        logger.warn({ err: error, waiting: waitingSamples, dropped }, 'traffic not stored')
      }
    },
  }
}

/** Samples of workflows and nodes that the version has. */
function known(parts: VersionParts, samples: Iterable<TrafficSample>): TrafficSample[] {
  return [...samples].filter(({ workflow, node, from }) => {
    const nodes = parts.get(workflow)
    const isPart = (id: string | null) =>
      id === null || id === ENTRYPOINT || nodes?.has(id) === true
    return nodes !== undefined && isPart(node) && isPart(from)
  })
}

/** The last seconds, each by itself. */
function createSlots(now: () => Date) {
  let slots: { atMs: number; versions: Map<string, Samples> }[] = []
  return {
    add(of: Of, scope: TrafficScope, counts: TrafficCounts): void {
      const at = beginOf(now(), SLOT_MS)
      let slot = slots.at(-1)
      // A clock that was set back goes on in the newest slot.
      if (slot === undefined || slot.atMs < at.getTime()) {
        slot = { atMs: at.getTime(), versions: new Map() }
        slots = [...slots.slice(1 - LIVE_SLOTS), slot]
      }
      const key = keyOf(of)
      let samples = slot.versions.get(key)
      if (samples === undefined) slot.versions.set(key, (samples = new Map()))
      addSample(samples, { ...scope, ...counts, at })
    },
    read(of: Of, windowMs: number): TrafficSample[] {
      const end = beginOf(now(), SLOT_MS).getTime()
      return slots
        .filter(({ atMs }) => atMs < end && atMs >= end - windowMs)
        .flatMap(({ versions }) => [...(versions.get(keyOf(of))?.values() ?? [])])
    },
  }
}

function addSample(samples: Samples, sample: TrafficSample): void {
  const key = JSON.stringify([sample.workflow, sample.node, sample.from, sample.at.getTime()])
  const known = samples.get(key)
  samples.set(key, known === undefined ? sample : { ...known, ...addCounts(known, sample) })
}

function keyOf({ runtimeId, version }: Of): string {
  return `${runtimeId}/${version}`
}

function beginOf(at: Date, stepMs: number): Date {
  return new Date(Math.floor(at.getTime() / stepMs) * stepMs)
}
