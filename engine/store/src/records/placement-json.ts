import type { Placement, ReplicaObservation, WorkloadObservation } from '@kre/contracts'

/** A placement as JSON has it: dates are text. */
type Flat<T> = {
  readonly [K in keyof T]: T[K] extends Date
    ? string
    : T[K] extends Date | null
      ? string | null
      : T[K]
}
type FlatWorkload = Omit<WorkloadObservation, 'replicas'> & {
  readonly replicas: readonly Flat<ReplicaObservation>[]
}
type FlatPlacement = Omit<Flat<Placement>, 'workloads'> & {
  readonly workloads: readonly FlatWorkload[]
}

/** Reads what `JSON.stringify` made of a placement. */
export function parsePlacement(text: string): Placement {
  const flat = JSON.parse(text) as FlatPlacement
  return {
    ...flat,
    observedAt: new Date(flat.observedAt),
    workloads: flat.workloads.map((workload) => ({
      ...workload,
      replicas: workload.replicas.map((replica) => ({
        ...replica,
        startedAt: replica.startedAt === null ? null : new Date(replica.startedAt),
      })),
    })),
  }
}
