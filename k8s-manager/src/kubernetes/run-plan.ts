/** Takes over what is to be applied and removed, one stage each. */
import {
  objectName,
  type StageEvent,
  type TargetPlan,
  toKreError,
  type Workload,
} from '@kre/contracts'
import type { V1OwnerReference } from '@kubernetes/client-node'
import type { Logger } from '@kre/service-kit'
import { createStage, nodesFirst } from '../local/apply-plan.ts'
import { type ApplyDeps, applyGroup } from './apply-group.ts'
import { applyWorkload } from './apply-workload.ts'
import { labelOf } from './fleet.ts'
import type { GroupKeeper } from './group-keeper.ts'
import type { KeyLocks } from './key-locks.ts'
import { ANNOTATION, groupName, LABEL } from './manifests/identity.ts'
import type { FailedApplies } from './observe/failed-applies.ts'
import { isBeingRemoved, workloadIn } from './observe/observe-workload.ts'

/** Versions that are applied at once, and workloads of each. */
const GROUPS_AT_ONCE = 4
const WORKLOADS_AT_ONCE = 4

export type PlanDeps = ApplyDeps & {
  failed: FailedApplies
  keeper: GroupKeeper
  locks: KeyLocks
  logger: Logger
  notify: (workloadId: string) => void
}

/** What can't be taken over is a stage in error, and seen in observations; the rest goes on. */
export async function* runPlan(
  deps: PlanDeps,
  { apply, remove }: TargetPlan,
  signal: AbortSignal,
): AsyncGenerator<StageEvent> {
  // A node that is marked before the entrypoint would end before the requests that need it.
  for (const id of entrypointsFirst(deps, remove)) {
    signal.throwIfAborted()
    yield await removeOne(deps, id)
  }
  const openGroup = createGroupOpener(deps, apply)
  const groups = [...Map.groupBy(nodesFirst(apply), (one) => groupName(one)).values()]
  for (let from = 0; from < groups.length; from += GROUPS_AT_ONCE) {
    signal.throwIfAborted()
    const some = groups.slice(from, from + GROUPS_AT_ONCE)
    const done = await Promise.allSettled(
      some.map(async (group) => applyAll(deps, group, openGroup, signal)),
    )
    for (const one of done) if (one.status === 'fulfilled') yield* one.value
    for (const one of done) if (one.status === 'rejected') throw one.reason
  }
}

/** @param group workloads of one version, nodes first. */
async function applyAll(
  deps: PlanDeps,
  group: readonly Workload[],
  openGroup: GroupOpener,
  signal: AbortSignal,
): Promise<StageEvent[]> {
  const [first, ...rest] = group
  if (first === undefined) return []
  return deps.locks.run(groupName(first), async () => {
    const events: StageEvent[] = []
    const apply = async (workload: Workload) => {
      signal.throwIfAborted()
      events.push(await applyOne(deps, workload, openGroup))
    }
    // With it comes what all of them share.
    await apply(first)
    await inParallel(rest.filter(isNode), apply)
    await inParallel(
      rest.filter((one) => !isNode(one)),
      apply,
    )
    return events
  })
}

/** The API server answers in some ms; more at once only wait there. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const workers = Array.from({ length: Math.min(WORKLOADS_AT_ONCE, queue.length) }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  })
  const done = await Promise.allSettled(workers)
  for (const one of done) if (one.status === 'rejected') throw one.reason
}

function isNode({ spec }: Workload): boolean {
  return spec.kind === 'node'
}

type GroupOpener = (workload: Workload) => Promise<V1OwnerReference>

/**
 * What the workloads of a version share is applied once for all of them, right before the first one. In between, somebody
 * may have removed it.
 */
function createGroupOpener(deps: ApplyDeps, apply: readonly Workload[]): GroupOpener {
  const groups = Map.groupBy(apply, (one) => groupName(one))
  const opened = new Map<string, Promise<V1OwnerReference>>()
  return async (workload) => {
    const name = groupName(workload)
    const before = await opened.get(name)
    if (before !== undefined && deps.fleet.owners.get(name)?.metadata?.uid === before.uid)
      return before
    const others = (groups.get(name) ?? []).filter((one) => one !== workload)
    const opening = applyGroup(deps, [workload, ...others])
    opened.set(name, opening)
    return opening
  }
}

async function applyOne(
  deps: PlanDeps,
  workload: Workload,
  openGroup: GroupOpener,
): Promise<StageEvent> {
  const { failed, logger, notify } = deps
  const stage = `apply ${workload.id}`
  try {
    const isChanged = await applyWorkload(deps, workload, await openGroup(workload))
    failed.forget(workload.id)
    return isChanged
      ? createStage(stage, 'in-progress', `${workload.replicas} wanted`)
      : createStage(stage, 'skipped', 'runs already')
  } catch (error) {
    const { code, message } = toKreError(error)
    // Nothing is wrong with the workload when the cluster is away.
    if (code === 'unavailable') throw error
    failed.remember(workload, message)
    notify(workload.id)
    logger.warn({ error, workload: workload.id }, 'a workload could not be applied')
    return createStage(stage, 'error', message)
  }
}

async function removeOne(deps: PlanDeps, id: string): Promise<StageEvent> {
  const stage = `remove ${id}`
  try {
    return await markForRemoval(deps, id, stage)
  } catch (error) {
    const { code, message } = toKreError(error)
    if (code === 'unavailable') throw error
    const deployment = deps.fleet.deployments.get(objectName(id))
    const workload = deployment === undefined ? null : workloadIn(deployment)
    if (workload !== null) deps.failed.remember(workload, message)
    deps.logger.warn({ error, workload: id }, 'a workload could not be removed')
    return createStage(stage, 'error', message)
  }
}

/** Writes on the Deployment that it has to go; the keeper of its group does it, and says what is in its way. */
async function markForRemoval(deps: PlanDeps, id: string, stage: string): Promise<StageEvent> {
  const { failed, fleet, keeper, objects } = deps
  const name = objectName(id)
  const deployment = fleet.deployments.get(name)
  if (deployment === undefined) {
    const refused = failed.forget(id)
    if (refused !== null) keeper.changed(groupName(refused))
    return createStage(stage, 'skipped', refused === null ? 'is not there' : 'was never there')
  }
  if (!isBeingRemoved(deployment)) {
    const mark = { metadata: { annotations: { [ANNOTATION.removing]: 'true' } } }
    const marked = await objects.change({ kind: 'Deployment', name }, mark)
    failed.forget(id)
    if (marked === null) return createStage(stage, 'skipped', 'is gone')
    fleet.deployments.put(marked)
  }
  return createStage(stage, 'in-progress', 'drains')
}

function entrypointsFirst({ fleet }: PlanDeps, ids: readonly string[]): string[] {
  const rank = (id: string) =>
    labelOf(fleet.deployments.get(objectName(id)) ?? null, LABEL.role) === 'entrypoint' ? 0 : 1
  return ids.toSorted((a, b) => rank(a) - rank(b))
}
