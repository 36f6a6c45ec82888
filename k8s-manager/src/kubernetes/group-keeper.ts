/** Looks after groups whenever something of them changes: one pass at a time, and again when a pass has failed. */
import { toKreError } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import type { Fleet } from './fleet.ts'
import type { KeyLocks } from './key-locks.ts'
import type { DriftRepair } from './repair-drift.ts'
import type { FailedApplies } from './observe/failed-applies.ts'
import { isBeingRemoved, workloadIn } from './observe/observe-workload.ts'
import { tidyGroup } from './tidy-group.ts'

export type GroupKeeper = {
  /** Something of the group is not as it was. */
  changed(group: string): void
  /** Call it every second or so: for what has failed, and what no news comes of. */
  tick(): void
  /** Resolves when no pass is under way. */
  whenIdle(): Promise<void>
}

export type GroupKeeperDeps = {
  objects: ClusterObjects
  fleet: Fleet
  locks: KeyLocks
  drift: DriftRepair
  logger: Logger
  /** Shows why a workload can't be taken away. */
  failed: FailedApplies
  /** Told the id of such a workload. */
  notify: (workloadId: string) => void
  signal: AbortSignal
}

/** A pass that failed is tried again in so many ticks. */
const RETRY_TICKS = 5

export function createGroupKeeper(deps: GroupKeeperDeps): GroupKeeper {
  const { objects, fleet, locks, drift, logger, signal } = deps
  const waiting = new Set<string>()
  const underWay = new Set<Promise<void>>()
  /** By group: ids of workloads that can't be taken away. */
  const stuck = new Map<string, readonly string[]>()
  let ticks = 0

  const look = async (group: string) => {
    try {
      await locks.run(group, async () => {
        waiting.delete(group)
        if (signal.aborted || fleet.problem() !== null) return
        await tidyGroup(objects, fleet, group)
        await drift.repair(group)
        release(group)
      })
    } catch (error) {
      waiting.delete(group)
      if (signal.aborted) return
      note(group, error)
      logger.warn({ error, group }, 'a group could not be tidied up')
    }
  }
  const release = (group: string) => {
    for (const id of stuck.get(group) ?? []) deps.failed.forget(id)
    stuck.delete(group)
  }
  const note = (group: string, error: unknown) => {
    const { code, message } = toKreError(error)
    if (code === 'unavailable') return
    release(group)
    const ending = fleet.deploymentsOf(group).filter(isBeingRemoved)
    const workloads = ending.flatMap((one) => workloadIn(one) ?? [])
    stuck.set(
      group,
      workloads.map(({ id }) => id),
    )
    for (const workload of workloads) {
      deps.failed.remember(workload, message)
      deps.notify(workload.id)
    }
  }
  const changed = (group: string) => {
    // One pass that has not begun sees all that has happened.
    if (group === '' || waiting.has(group) || signal.aborted) return
    waiting.add(group)
    const pass = look(group).finally(() => underWay.delete(pass))
    underWay.add(pass)
  }

  return {
    changed,
    tick() {
      if (++ticks % RETRY_TICKS !== 0) return
      for (const group of fleet.groups())
        if (stuck.has(group) || fleet.deploymentsOf(group).every(isBeingRemoved)) changed(group)
      for (const group of drift.waiting()) changed(group)
    },
    async whenIdle() {
      await Promise.all(underWay)
    },
  }
}
