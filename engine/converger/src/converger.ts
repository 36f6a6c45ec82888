/** The one loop that makes the world follow the releases. Every trigger is a hint: a timer finds what no hint told. */
import { type EngineEvent, type EventBus, SECOND_MS } from '@kre/contracts'
import { createSlots } from '@kre/service-kit'
import type { Store } from '@kre/store'
import { compileVersion } from './compile.ts'
import { convergeRuntime, removeRuntime, type ConvergeDeps } from './converge-runtime.ts'
import { rememberCompiled } from './remember-compiled.ts'
import { writeChanges } from './write-changes.ts'

/** A converged runtime is looked at again this often, for drift nobody reported. */
const STEADY_MS = 15 * SECOND_MS
/** … more or less by this share, so that a hundred runtimes are not looked at in one moment. */
const STEADY_SPREAD = 0.25
/** … and so many a second at most, whatever their number. */
const STEADY_PER_SECOND = 10
/** Passes under way: an engine that starts looks at all runtimes, and what it asks NATS and the target has deadlines. */
const PASSES_AT_ONCE = 16
/** A runtime on its way is looked at again after this, doubled on each further pass without a change. */
const UNSETTLED_MIN_MS = 200
const UNSETTLED_MAX_MS = 5 * SECOND_MS

/** What a runtime may have to follow. */
const CHANGES_INTENT: Readonly<Record<EngineEvent['type'], boolean>> = {
  'runtime.created': true,
  'runtime.deleted': true,
  'version.created': true,
  'version.deleted': true,
  'release.written': true,
  'placement.observed': false,
  'logs.written': false,
  'upload.wanted': false,
}

export type Converger = AsyncDisposable & {
  /** Runs until `signal` aborts. Resolves when every runtime has had its first pass. */
  start(signal: AbortSignal): Promise<void>
}

export type ConvergerDeps = Omit<ConvergeDeps, 'store'> & {
  store: ConvergeDeps['store'] & Pick<Store, 'runtimes'>
  events: EventBus
  /**
   * Whether what runs may outlive the store, and others may run things there: then a store without any runtime is taken
   * for the wrong one, and nothing is removed because of it. Absent = it can't.
   */
  isTargetShared?: boolean
}

export function createConverger(given: ConvergerDeps): Converger {
  const placements = writeChanges(given.store.placements, (runtimeId) =>
    given.events.publish({ type: 'placement.observed', runtimeId }),
  )
  const deps: ConvergerDeps = {
    ...given,
    store: { ...given.store, placements },
    compileOne: rememberCompiled(given.compileOne ?? compileVersion),
  }
  const queues = new Map<
    string,
    { running: Promise<void> | null; again: boolean; timer: NodeJS.Timeout | null; waitMs: number }
  >()
  const closing = new AbortController()

  const wake = (runtimeId: string): Promise<void> => {
    let queue = queues.get(runtimeId)
    if (queue === undefined)
      queues.set(
        runtimeId,
        (queue = { running: null, again: false, timer: null, waitMs: UNSETTLED_MIN_MS }),
      )
    if (closing.signal.aborted) return Promise.resolve()
    if (queue.running !== null) {
      queue.again = true
      return queue.running
    }
    if (queue.timer !== null) clearTimeout(queue.timer)
    queue.running = pass(runtimeId).finally(() => {
      queue.running = null
      if (queue.again && !closing.signal.aborted) {
        queue.again = false
        void wake(runtimeId)
      }
    })
    return queue.running
  }

  /** That the store has had, as far as this engine has seen: they were deleted when they are not there any more. */
  const had = new Set<string>()
  const leftAlone = new Set<string>()
  const isWrongStore = async (runtimeId: string): Promise<boolean> => {
    if (deps.isTargetShared !== true || had.has(runtimeId)) return false
    if ((await deps.store.runtimes.list()).length > 0) return false
    if (!leftAlone.has(runtimeId))
      deps.logger.error(
        { runtimeId },
        'a runtime runs that the store does not know, and the store knows none at all: it is left alone. Check KRE_MONGODB_URI and KRE_MONGODB_PREFIX; if the store is the right one, remove what runs with kubectl (label kre.dev/installation)',
      )
    leftAlone.add(runtimeId)
    return true
  }

  const slots = createSlots(PASSES_AT_ONCE)
  const pass = async (runtimeId: string): Promise<void> => {
    const queue = queues.get(runtimeId)
    let settled = false
    // Who waits leaves without one when the engine ends, and for nothing else.
    const giveBack = await slots(closing.signal).catch(() => null)
    if (giveBack === null) return
    try {
      if (closing.signal.aborted) return
      if ((await deps.store.runtimes.find(runtimeId)) === null) {
        if (await isWrongStore(runtimeId)) return
        if (await removeRuntime(deps, runtimeId, closing.signal)) {
          queues.delete(runtimeId)
          had.delete(runtimeId)
          return
        }
      } else {
        had.add(runtimeId)
        settled = await convergeRuntime(deps, runtimeId, closing.signal)
      }
    } catch (error) {
      if (!closing.signal.aborted)
        deps.logger.error({ runtimeId, error }, 'a pass failed; it is tried again')
    } finally {
      giveBack()
    }
    if (queue === undefined || closing.signal.aborted) return
    queue.waitMs = settled ? UNSETTLED_MIN_MS : Math.min(queue.waitMs * 2, UNSETTLED_MAX_MS)
    scheduleAfter(runtimeId, settled ? steadyMs(queues.size) * spread() : queue.waitMs)
  }

  const scheduleAfter = (runtimeId: string, ms: number): void => {
    const queue = queues.get(runtimeId)
    if (queue === undefined || closing.signal.aborted) return
    if (queue.timer !== null) clearTimeout(queue.timer)
    queue.timer = setTimeout(() => void wake(runtimeId), ms)
  }

  /** Runtimes that another engine made, whose event was lost. */
  const wakeUnknown = async (): Promise<void> => {
    try {
      for (const { id } of await deps.store.runtimes.list()) if (!queues.has(id)) void wake(id)
    } catch (error) {
      deps.logger.warn({ error }, 'the list of runtimes could not be read; it is tried again')
    }
  }

  /**
   * The runtimes that the store knows, and those that only the target or NATS still know: they were deleted while no
   * engine was there.
   *
   * @returns false when one of the two could not be asked.
   */
  const wakeWithForgotten = async (
    known: readonly string[],
    signal: AbortSignal,
  ): Promise<boolean> => {
    const asked = await Promise.allSettled([
      deps.target.fetch(signal).then((all) => all.map(({ runtimeId }) => runtimeId)),
      deps.nats.runtimes(),
    ])
    const found = asked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    const failed = asked.filter((one) => one.status === 'rejected')
    for (const { reason } of failed)
      deps.logger.warn(
        { error: reason as unknown },
        'what runs could not be looked at; it is tried again',
      )
    await Promise.all([...new Set([...known, ...found])].map(wake))
    return failed.length === 0
  }

  const unsubscribes: (() => void)[] = []
  return {
    async start(signal) {
      signal.addEventListener('abort', () => closing.abort(), { once: true })
      unsubscribes.push(
        deps.events.subscribe((event) => {
          if (!CHANGES_INTENT[event.type]) return
          if (event.type === 'runtime.deleted') had.add(event.runtimeId)
          const queue = queues.get(event.runtimeId)
          if (queue !== undefined) queue.waitMs = UNSETTLED_MIN_MS
          void wake(event.runtimeId)
        }),
        // A workload's id begins with its runtime's (names.ts).
        deps.target.watch((workloadId) => void wake(workloadId.slice(0, workloadId.indexOf('.')))),
        deps.autoscaler?.watch((runtimeId) => void wake(runtimeId)) ?? (() => undefined),
      )
      const known = (await deps.store.runtimes.list()).map(({ id }) => id)
      let hasSeenAll = await wakeWithForgotten(known, signal)
      if (closing.signal.aborted) return
      const looking = setInterval(() => {
        if (hasSeenAll) void wakeUnknown()
        else void wakeWithForgotten([], signal).then((isDone) => (hasSeenAll = isDone))
      }, STEADY_MS)
      unsubscribes.push(() => clearInterval(looking))
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      for (const unsubscribe of unsubscribes.splice(0)) unsubscribe()
      for (const queue of queues.values()) if (queue.timer !== null) clearTimeout(queue.timer)
      await Promise.allSettled([...queues.values()].flatMap((queue) => queue.running ?? []))
    },
  }
}

/** @param runtimes that are looked at beside each other. */
function steadyMs(runtimes: number): number {
  return Math.max(STEADY_MS, (runtimes * SECOND_MS) / STEADY_PER_SECOND)
}

function spread(): number {
  return 1 + STEADY_SPREAD * (2 * Math.random() - 1)
}
