import {
  replicasNeeded,
  type Release,
  type TargetPlan,
  type Workload,
  type WorkloadObservation,
} from '@kre/contracts'

/**
 * What the target must do so that exactly `desired` runs. Empty = converged.
 * Removal goes by the workloads that are there, never by a pattern.
 */
export function diff(
  desired: readonly Workload[],
  observed: readonly WorkloadObservation[],
): TargetPlan {
  const there = new Map(observed.map((workload) => [workload.id, workload]))
  const wanted = new Set(desired.map((workload) => workload.id))
  return {
    apply: desired.filter((workload) => {
      const found = there.get(workload.id)
      return (
        found === undefined ||
        found.specHash !== workload.specHash ||
        found.replicasWanted !== workload.replicas
      )
    }),
    remove: observed.filter((workload) => !wanted.has(workload.id)).map((workload) => workload.id),
  }
}

/**
 * The version that the routing table should name now, which is not always the one the release wants: traffic moves
 * when the new version is ready, and stays where it is until then, as long as that version is to run at all.
 */
export function route(
  release: Release | null,
  routed: string | null,
  isReady: (version: string) => boolean,
): string | null {
  const wanted = release?.published ?? null
  if (wanted === routed || wanted === null) return wanted
  if (isReady(wanted)) return wanted
  const stillRuns = release?.running.some((running) => running.version === routed) ?? false
  return stillRuns ? routed : null
}

/**
 * Whether every replica of every workload of a version is ready in the form that is wanted; of those that follow their
 * load, as many as it takes to serve.
 */
export function isReady(
  desired: readonly Workload[],
  observed: readonly WorkloadObservation[],
): boolean {
  const there = new Map(observed.map((workload) => [workload.id, workload]))
  return (
    desired.length > 0 &&
    desired.every((workload) => {
      const ready = there
        .get(workload.id)
        ?.replicas.filter(
          (replica) => replica.state === 'ready' && replica.specHash === workload.specHash,
        )
      return (ready?.length ?? 0) >= replicasNeeded(workload.replicas, workload.scaling)
    })
  )
}
