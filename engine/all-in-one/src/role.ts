import type { WorkloadObservation } from '@kre/contracts'
import type { LiveTraffic } from '@kre/admin-api'

/** What an engine's API shows of the world, which it gets in one way while it leads and in another beside the leader. */
export type Role = AsyncDisposable & {
  /** In Prometheus's text format. */
  metrics(): string
  live: LiveTraffic
  workloads(signal: AbortSignal): Promise<readonly WorkloadObservation[]>
  /** Null = it is not there, or somebody else runs it. */
  natsPids(): Promise<{ server: number | null; guard: number | null } | null>
}
