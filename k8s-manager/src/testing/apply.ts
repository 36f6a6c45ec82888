import type { StageEvent, Target, TargetPlan, WorkloadObservation } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'

/** Applies a plan to its end. */
export async function apply(target: Target, plan: TargetPlan): Promise<StageEvent[]> {
  const stages: StageEvent[] = []
  for await (const stage of target.apply(plan, new AbortController().signal)) stages.push(stage)
  return stages
}

/** Waits until exactly `count` replicas exist and all are ready. */
export async function ready(
  target: Target,
  count: number,
): Promise<readonly WorkloadObservation[]> {
  return waitUntil(`${count} replicas ready`, async () => {
    const observed = await target.fetch(new AbortController().signal)
    const replicas = observed.flatMap((workload) => workload.replicas)
    const isReady = replicas.every(({ state }) => state === 'ready')
    return isReady && replicas.length === count ? observed : null
  })
}
