import type { NatsConnection } from '@nats-io/transport-node'
import { DAY_MS, HOUR_MS, KreError, SECOND_MS, type EventBus } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { Store } from '@kre/store'
import { consumeRuntime } from './consume-runtime.ts'
import { expireOutputs, type Retention } from './expire-outputs.ts'
import { serveFind } from './find/serve-find.ts'
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
  /** Events are hints: the list of runtimes is read again so often. 10 s by default. */
  runtimesEveryMs?: number
  /** The stream of a new runtime is made after the runtime; missing for longer, it is warned of. 10 s by default. */
  streamExpectedWithinMs?: number
  now?: () => Date
}

export type MongoWriter = AsyncDisposable & {
  /**
   * Resolves when the outputs of all known runtimes are consumed and searches answered. Waits for a store that
   * fails; a stream that is missing is waited for in the background. Aborting the signal stops the writer.
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
  const runtimes = createRuntimeTasks((runtimeId, signal) => {
    const stopFind = serveFind({ nats, outputs: store.outputs, logger }, runtimeId)
    const consumed = consumeRuntime(
      { nats, outputs: store.outputs, events, logger, counts, now, streamExpectedWithinMs },
      runtimeId,
      signal,
    )
    return consumed.finally(stopFind)
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
        if (event.type === 'runtime.created') runtimes.add(event.runtimeId)
        if (event.type === 'runtime.deleted') runtimes.remove(event.runtimeId)
      })
      stopped.addEventListener('abort', () => {
        unsubscribe()
        runtimes.stop()
      })
      const backOff = createBackOff({ firstMs: 100, maxMs: 5 * SECOND_MS })
      while (!stopped.aborted && !(await readRuntimes())) await pause(backOff.next(), stopped)
      if (stopped.aborted) return
      background.push(
        followRuntimes(deps.runtimesEveryMs ?? 10 * SECOND_MS, stopped),
        expireOutputs({ outputs: store.outputs, logger, now }, retention, stopped),
      )
      await nats.flush()
    },
    async [Symbol.asyncDispose]() {
      controller.abort()
      await Promise.all([...background, runtimes.ended()])
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
      if (!controller.signal.aborted) runtimes.set(listed.map((runtime) => runtime.id))
      return true
    } catch (error) {
      logger.warn({ err: error }, 'runtimes not read')
      return false
    }
  }
}

type RuntimeTasks = {
  /** Exactly these runtimes have a task. */
  set(runtimeIds: readonly string[]): void
  add(runtimeId: string): void
  remove(runtimeId: string): void
  stop(): void
  /** All tasks, removed ones included, have ended. */
  ended(): Promise<void>
}

/** One task per runtime, each with an end of its own. */
function createRuntimeTasks(
  run: (runtimeId: string, signal: AbortSignal) => Promise<void>,
): RuntimeTasks {
  const controllers = new Map<string, AbortController>()
  const running = new Set<Promise<void>>()
  const add = (runtimeId: string): void => {
    if (controllers.has(runtimeId)) return
    const controller = new AbortController()
    controllers.set(runtimeId, controller)
    const task = run(runtimeId, controller.signal)
    running.add(task)
    void task.finally(() => running.delete(task))
  }
  const remove = (runtimeId: string): void => {
    controllers.get(runtimeId)?.abort()
    controllers.delete(runtimeId)
  }
  const stop = (): void => {
    for (const runtimeId of controllers.keys()) remove(runtimeId)
  }
  return {
    add,
    remove,
    stop,
    set(runtimeIds) {
      const wanted = new Set(runtimeIds)
      for (const runtimeId of controllers.keys()) if (!wanted.has(runtimeId)) remove(runtimeId)
      for (const runtimeId of wanted) add(runtimeId)
    },
    async ended() {
      await Promise.all(running)
    },
  }
}
