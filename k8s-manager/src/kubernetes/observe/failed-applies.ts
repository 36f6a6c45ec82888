/** Workloads that the cluster has refused: seen with the reason until it takes them, or nobody wants them any more. */
import type { Workload, WorkloadObservation } from '@kre/contracts'
import { placeOf } from '../manifests/workload-record.ts'
import { unmade } from './observe-workload.ts'

export type FailedApplies = {
  remember(workload: Workload, reason: string): void
  /** @returns the workload, where it was remembered. */
  forget(id: string): Workload | null
  addTo(observed: readonly WorkloadObservation[]): WorkloadObservation[]
}

export function createFailedApplies(): FailedApplies {
  const failed = new Map<string, { workload: Workload; reason: string }>()
  return {
    remember: (workload, reason) => void failed.set(workload.id, { workload, reason }),
    forget(id) {
      const found = failed.get(id)
      failed.delete(id)
      return found?.workload ?? null
    },
    addTo(observed) {
      const seen = observed.map((one) => {
        const reason = failed.get(one.id)?.reason
        if (reason === undefined) return one
        return { ...one, replicas: [...one.replicas, unmade(reason, '')] }
      })
      const there = new Set(observed.map(({ id }) => id))
      const missing = [...failed.values()].filter(({ workload }) => !there.has(workload.id))
      return [...seen, ...missing.map(({ workload, reason }) => refused(workload, reason))]
    },
  }
}

/** Nothing of it is wanted yet, so that whoever wants it tries again. */
function refused(workload: Workload, reason: string): WorkloadObservation {
  return {
    ...placeOf(workload),
    replicasWanted: 0,
    specHash: '',
    replicas: [unmade(reason, '')],
    address: '',
  }
}
