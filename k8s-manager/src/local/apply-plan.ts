import { type StageEvent, type TargetPlan, toKreError, type Workload } from '@kre/contracts'
import type { Fleet } from './fleet.ts'

/** Sets every change of a plan going, one stage each. What can't be taken over is a stage in error; the rest goes on. */
export async function* applyPlan(
  fleet: Fleet,
  plan: TargetPlan,
  signal: AbortSignal,
): AsyncGenerator<StageEvent> {
  signal.throwIfAborted()
  const draining = fleet.remove(plan.remove)
  for (const id of plan.remove) {
    yield draining.has(id)
      ? createStage(`remove ${id}`, 'in-progress', 'drains')
      : createStage(`remove ${id}`, 'skipped', 'is not there')
  }
  for (const workload of nodesFirst(plan.apply)) {
    signal.throwIfAborted()
    yield applyWorkload(fleet, workload)
  }
}

export function createStage(
  stage: string,
  status: StageEvent['status'],
  message: string,
): StageEvent {
  return { stage, status, message, at: new Date() }
}

function applyWorkload(fleet: Fleet, workload: Workload): StageEvent {
  const name = `apply ${workload.id}`
  try {
    return fleet.apply(workload)
      ? createStage(name, 'in-progress', `${workload.replicas} wanted`)
      : createStage(name, 'skipped', 'runs already')
  } catch (error) {
    return createStage(name, 'error', toKreError(error).message)
  }
}

/** Traffic comes by entrypoints, which need the nodes. */
export function nodesFirst(workloads: readonly Workload[]): Workload[] {
  const rank = { node: 0, entrypoint: 1 }
  return workloads.toSorted((a, b) => rank[a.spec.kind] - rank[b.spec.kind])
}
