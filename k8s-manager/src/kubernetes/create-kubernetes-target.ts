/**
 * The target that runs versions on Kubernetes: a Deployment per entrypoint and node. All it knows is in the cluster, so
 * any engine can go on where another one ended.
 */
import { setMaxListeners } from 'node:events'
import {
  KreError,
  SECOND_MS,
  type Target,
  type TargetInfo,
  type WorkloadObservation,
} from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { createChangeNotifier } from '../local/change-notifier.ts'
import { runningGroup } from './apply-group.ts'
import { clusterObjects } from './cluster/cluster-objects.ts'
import type { Cluster } from './cluster/open-cluster.ts'
import { type Fleet, watchFleet } from './fleet.ts'
import { createGroupKeeper } from './group-keeper.ts'
import { type AccessDeps, createKeptAccess } from './keep-access.ts'
import { createKeyLocks } from './key-locks.ts'
import { createFailedApplies } from './observe/failed-applies.ts'
import { createFleetObserver } from './observe-fleet.ts'
import { createDriftRepair } from './repair-drift.ts'
import { createRoller } from './roll-workloads.ts'
import { runPlan } from './run-plan.ts'
import type { KubernetesSettings } from './settings.ts'

export type KubernetesTargetDeps = Pick<
  AccessDeps,
  'runnerAccess' | 'certificates' | 'provideBundle'
> & {
  cluster: Cluster
  settings: KubernetesSettings
  logger: Logger
  /** Unix ms; `Date.now` by default. */
  now?: () => number
}

/** How often credentials, and pods that take too long, are looked at. */
const TICK_MS = SECOND_MS
/** The first lists of a cluster that answers are there long before. */
const LIST_TIMEOUT_MS = 30 * SECOND_MS

/**
 * Starts to watch the cluster. Disposing the target leaves all that runs alone.
 *
 * `fetch` and `apply` throw KreError `unavailable` while the cluster can't be watched: nothing is done on old knowledge.
 */
export function createKubernetesTarget(deps: KubernetesTargetDeps): Target & AsyncDisposable {
  const { cluster, settings, logger } = deps
  const now = deps.now ?? Date.now
  const { namespace, installation } = settings
  const released = new AbortController()
  const { signal } = released
  // Each request under way listens for the target's end.
  setMaxListeners(0, signal)
  const changes = createChangeNotifier((error) => logger.error({ error }, 'a watcher failed'))
  const notify = (id: string) => changes.notify(id)
  const objects = clusterObjects(cluster, namespace, signal)
  const locks = createKeyLocks()
  const failed = createFailedApplies()
  const fleet = watchFleet({ cluster, namespace, installation, logger, signal }, (group, id) => {
    keeper.changed(group)
    if (id !== null) notify(id)
  })
  const drift = createDriftRepair({ objects, fleet, settings, logger, now })
  const keeper = createGroupKeeper({ objects, fleet, locks, drift, failed, notify, logger, signal })
  const access = createKeptAccess({ ...deps, objects, now })
  const roller = createRoller({ objects, fleet, settings, locks, logger, signal })
  const observeFleet = createFleetObserver(fleet, settings, now)
  const observe = (runtimeId: string | null) => failed.addTo(observeFleet(runtimeId))

  const tellOverdue = createOverdueTeller(notify)
  const ticking = setInterval(() => {
    if (fleet.problem() !== null) return
    tellOverdue(observe(null))
    keeper.tick()
    roller.tick()
    access
      .tick(fleet.groups(), (group) => runningGroup(fleet, group))
      .catch((error: unknown) => logger.error({ error }, 'credentials could not be renewed'))
  }, TICK_MS)

  let hasAnswered = false
  void fleet.whenAnswered().then(() => (hasAnswered = true))
  const assertKnown = async (asking: AbortSignal) => {
    asking.throwIfAborted()
    if (signal.aborted)
      throw new KreError('failed-precondition', 'the Kubernetes target was closed with its engine')
    // Asked for by every pass: what is there for good is not waited for each time.
    if (!hasAnswered) await untilAnswered(fleet, AbortSignal.any([asking, signal]))
    const problem = fleet.problem()
    if (problem !== null) throw new KreError('unavailable', problem.message, {}, { cause: problem })
  }
  return {
    async fetch(fetching, runtimeId) {
      await assertKnown(fetching)
      return observe(runtimeId ?? null)
        .filter((one) => runtimeId === undefined || one.runtimeId === runtimeId)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    },
    async *apply(plan, applying) {
      await assertKnown(applying)
      const own = { objects, fleet, access, settings, failed, keeper, locks, logger, notify }
      yield* runPlan(own, plan, applying)
    },
    watch: (onChange) => changes.watch(onChange),
    info: async () => describe(cluster, settings, signal),
    async [Symbol.asyncDispose]() {
      released.abort()
      clearInterval(ticking)
      await Promise.all([keeper.whenIdle(), roller.whenIdle()])
    },
  }
}

/** That time passes is no event of the cluster. */
function createOverdueTeller(notify: (workloadId: string) => void) {
  let before = new Set<string>()
  return (observed: readonly WorkloadObservation[]) => {
    const overdue = new Set<string>()
    for (const { id, replicas } of observed)
      if (replicas.some((one) => one.isOverdue)) overdue.add(id)
    if (overdue.size + before.size === 0) return
    for (const id of new Set([...overdue, ...before]))
      if (overdue.has(id) !== before.has(id)) notify(id)
    before = overdue
  }
}

/** Waits for the first lists. */
async function untilAnswered(fleet: Fleet, signal: AbortSignal): Promise<void> {
  const end = Promise.withResolvers<void>()
  const timer = setTimeout(end.resolve, LIST_TIMEOUT_MS)
  const abort = () => end.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([fleet.whenAnswered(), end.promise])
  } finally {
    clearTimeout(timer)
    // A signal made of others lives as long as somebody listens to it, and those live as long as the engine.
    signal.removeEventListener('abort', abort)
  }
}

async function describe(
  cluster: Cluster,
  { installation, namespace }: KubernetesSettings,
  signal: AbortSignal,
): Promise<TargetInfo> {
  const { status, body } = await cluster.request({ method: 'GET', path: '/version', signal })
  const version = status === 200 ? readVersion(body) : `unknown: /version answers ${status}`
  return {
    name: installation,
    kind: 'kubernetes',
    facts: { server: cluster.server, version, namespace },
  }
}

function readVersion(body: string): string {
  const { gitVersion } = JSON.parse(body) as { gitVersion?: unknown }
  return typeof gitVersion === 'string' ? gitVersion : 'unknown'
}
