import type { NatsConnection } from '@nats-io/transport-node'
import {
  DAY_MS,
  HOUR_MS,
  KreError,
  runtimeOfOutputs,
  SECOND_MS,
  type EventBus,
} from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { Store } from '@kre/store'
import { type ConsumeDeps, consumeStream } from './consume-stream.ts'
import { expireOutputs, type Retention } from './expire-outputs.ts'
import { serveFind } from './find/serve-find.ts'
import { watchStreams } from './stream/watch-streams.ts'
import { createTasks } from './tasks.ts'
import { createBackOff } from './timing/back-off.ts'
import { pause } from './timing/pause.ts'
import type { WriterCounts } from './writer-counts.ts'

export type MongoWriterDeps = {
  store: Pick<Store, 'outputs' | 'runtimes'>
  nats: NatsConnection
  logger: Logger
  events: EventBus
  /** 7 days, checked hourly, by default. */
  retention?: Retention
  /** Events are hints: the lists of runtimes and of their streams are read again so often. 10 s by default. */
  runtimesEveryMs?: number
  /** A stream that is missing for longer is warned of. 10 s by default. */
  streamExpectedWithinMs?: number
  now?: () => Date
}

export type MongoWriter = AsyncDisposable & {
  /**
   * Resolves when searches in all known runtimes are answered, and the outputs consumed of those streams that can be
   * listed. Waits for a store that fails. Aborting the signal stops the writer.
   */
  start(signal: AbortSignal): Promise<void>
  readonly counts: Readonly<WriterCounts>
}

/**
 * Moves the outputs of nodes from NATS into the store, exactly once in effect: a message is acknowledged when the
 * store has it, and a record that comes twice is written once. Any number of writers may run side by side.
 */
export function createMongoWriter(deps: MongoWriterDeps): MongoWriter {
  const { store, nats, logger, events } = deps
  const now = deps.now ?? (() => new Date())
  const streamExpectedWithinMs = deps.streamExpectedWithinMs ?? 10 * SECOND_MS
  const retention = deps.retention ?? { ageMs: 7 * DAY_MS, everyMs: HOUR_MS }
  const counts: WriterCounts = { stored: 0, setAside: 0, returned: 0 }
  const controller = new AbortController()
  const background: Promise<void>[] = []
  const searches = createTasks(async (runtimeId, signal) => {
    const stopFind = serveFind({ nats, outputs: store.outputs, logger }, runtimeId)
    await aborted(signal)
    stopFind()
  })
  const consuming = {
    nats,
    outputs: store.outputs,
    events,
    logger,
    counts,
    now,
    streams: () => streamNames.length,
    onReconnect: listenForReconnects(nats),
  }
  const consumed = createTasks((stream, signal) =>
    consumeStream(
      { ...consuming, streamExpectedWithinMs, onMissing: () => streams.look() },
      { runtimeId: runtimeOfOutputs(stream) ?? '', stream },
      signal,
    ),
  )
  const everyMs = deps.runtimesEveryMs ?? 10 * SECOND_MS
  let streamNames: readonly string[] = []
  /** Nothing of a runtime that was deleted is stored any more. */
  const consumeKnown = (): void =>
    consumed.set(streamNames.filter((name) => searches.has(runtimeOfOutputs(name) ?? '')))
  const streams = watchStreams({ nats, logger, everyMs }, (names) => {
    streamNames = names
    consumeKnown()
  })
  let started = false

  return {
    counts,
    async start(signal) {
      if (started) throw new KreError('failed-precondition', 'the writer was started already')
      started = true
      const { signal: stopped } = controller
      signal.addEventListener('abort', () => controller.abort(), { signal: stopped })
      if (signal.aborted) controller.abort()
      const unsubscribe = events.subscribe((event) => {
        if (stopped.aborted) return
        if (event.type === 'runtime.created') searches.add(event.runtimeId)
        if (event.type === 'runtime.deleted') searches.remove(event.runtimeId)
        if (event.type.startsWith('runtime.')) consumeKnown()
      })
      stopped.addEventListener('abort', () => {
        unsubscribe()
        searches.stop()
        consumed.stop()
      })
      const backOff = createBackOff({ firstMs: 100, maxMs: 5 * SECOND_MS })
      while (!stopped.aborted && !(await readRuntimes())) await pause(backOff.next(), stopped)
      if (stopped.aborted) return
      background.push(
        followRuntimes(everyMs, stopped),
        streams.follow(stopped),
        expireOutputs({ outputs: store.outputs, logger, now }, retention, stopped),
      )
      await streams.firstLook()
      await nats.flush()
    },
    async [Symbol.asyncDispose]() {
      controller.abort()
      await Promise.all([...background, searches.ended(), consumed.ended()])
    },
  }

  async function followRuntimes(everyMs: number, stopped: AbortSignal): Promise<void> {
    for (;;) {
      await pause(everyMs, stopped)
      if (stopped.aborted) return
      await readRuntimes()
    }
  }

  async function readRuntimes(): Promise<boolean> {
    try {
      const listed = await store.runtimes.list()
      if (controller.signal.aborted) return true
      searches.set(listed.map((runtime) => runtime.id))
      consumeKnown()
      return true
    } catch (error) {
      logger.warn({ err: error }, 'runtimes not read')
      return false
    }
  }
}

/** Tells many of what one reads: each reader of a connection's status has a queue of its own. */
function listenForReconnects(nats: NatsConnection): ConsumeDeps['onReconnect'] {
  const listeners = new Set<() => void>()
  const follow = async () => {
    for await (const { type } of nats.status())
      if (type === 'reconnect') for (const listener of listeners) listener()
  }
  void follow()
  return (listener) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
