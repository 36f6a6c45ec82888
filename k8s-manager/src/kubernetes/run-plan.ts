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
import { isBeingRemoved } from './observe/observe-workload.ts'

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
    yield await removeWorkload(deps, id)
  }
  const openGroup = createGroupOpener(deps, apply)
  for (const workload of nodesFirst(apply)) {
    signal.throwIfAborted()
    yield await applyOne(deps, workload, openGroup)
  }
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
  const { failed, locks, logger, notify } = deps
  const stage = `apply ${workload.id}`
  try {
    const isChanged = await locks.run(groupName(workload), async () =>
      applyWorkload(deps, workload, await openGroup(workload)),
    )
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

/** Writes on the Deployment that it has to go; the keeper of its group does it. */
async function removeWorkload(deps: PlanDeps, id: string): Promise<StageEvent> {
  const { failed, fleet, keeper, objects } = deps
  const stage = `remove ${id}`
  const name = objectName(id)
  const refused = failed.forget(id)
  const deployment = fleet.deployments.get(name)
  if (refused !== null) keeper.changed(groupName(refused))
  if (deployment === undefined)
    return createStage(stage, 'skipped', refused === null ? 'is not there' : 'was never there')
  if (!isBeingRemoved(deployment)) {
    const mark = { metadata: { annotations: { [ANNOTATION.removing]: 'true' } } }
    const marked = await objects.change({ kind: 'Deployment', name }, mark)
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
