/**
 * A target runs workloads: processes of a laptop, pods of Kubernetes, anything custom.
 * Four verbs, one conformance suite; the converger is the only caller of `apply`.
 */
import type { EntrypointSpec, NodeSpec } from './launch.ts'
import type { Autoscaling } from './manifest/graph.ts'

/** One entrypoint or node with its replicas: what a Deployment is on Kubernetes. */
export type Workload = {
  /** From `workloadId()`. */
  readonly id: string
  readonly runtimeId: string
  /** Null for the runtime's published entrypoint. */
  readonly version: string | null
  readonly replicas: number
  readonly spec: NodeSpec | EntrypointSpec
  /** Changes whenever `spec` does; a difference rolls the replicas. */
  readonly specHash: string
  /**
   * Changes whenever a value of the configuration does; equal for workloads with the same values, and tells nothing of
   * them. Absent = nobody has made one.
   */
  readonly configHash?: string
  /** Digest of the bundle whose files the workload needs; null = none. */
  readonly bundleDigest: string | null
  readonly memoryBytesMax: number | null
  /** What else its replicas need of a machine. Absent = nothing that its manifest names. */
  readonly resources?: WorkloadResources
  /** The engine follows its load. Of no interest to targets: they are told a number of replicas. Absent = it doesn't. */
  readonly scaling?: WorkloadScaling
}

/** Of all nodes that share the process: they have the same limits, and scale as one. */
export type WorkloadScaling = Pick<Autoscaling, 'min' | 'max' | 'idleMs'> & {
  readonly nodes: readonly (Pick<Autoscaling, 'targetInFlight' | 'targetQueueAgeMs'> & {
    readonly node: string
  })[]
}

/** Of all nodes that share the process together. */
export type WorkloadResources = {
  readonly cpuMillis: { readonly request: number; readonly limit: number } | null
  readonly gpu: { readonly count: number; readonly class: string | null } | null
}

export type ReplicaState = 'starting' | 'ready' | 'backoff' | 'stopping'
export type ReplicaObservation = {
  readonly replica: number
  readonly state: ReplicaState
  readonly specHash: string
  readonly pid: number | null
  readonly startedAt: Date | null
  /** Since the workload was applied. */
  readonly restarts: number
  /** It had time enough to become ready: its version is in error until it is, however long that takes. */
  readonly isOverdue: boolean
  /** Why it is not ready, in a user's words, with what to do. Empty when ready. */
  readonly reason: string
}

export type WorkloadObservation = {
  readonly id: string
  readonly runtimeId: string
  readonly version: string | null
  readonly role: 'entrypoint' | 'node'
  readonly workflow: string | null
  readonly node: string | null
  /** Other nodes of the workflow that share the process. Absent = none. */
  readonly fused?: readonly string[]
  readonly replicasWanted: number
  /**
   * What it was last applied with, also while `replicasWanted` hides that so that it is applied again. The next engine
   * goes on from here with what follows its load. Absent = it is on its way out, or nobody knows.
   */
  readonly scale?: number
  readonly specHash: string
  readonly replicas: readonly ReplicaObservation[]
  /** `host:port` of an entrypoint; empty for nodes. */
  readonly address: string
}

export type TargetPlan = {
  /** Brought up or rolled to their spec, in this order of readiness: nodes, then entrypoints. */
  readonly apply: readonly Workload[]
  /** Ids, drained and removed. */
  readonly remove: readonly string[]
}

/** Progress of one apply, for traces and for people who wait. */
export type StageEvent = {
  readonly stage: string
  readonly status: 'in-progress' | 'completed' | 'error' | 'skipped'
  readonly message: string
  readonly at: Date
}

export type TargetInfo = {
  readonly name: string
  readonly kind: 'local' | 'kubernetes' | 'custom'
  readonly facts: Readonly<Record<string, string>>
}

export interface Target {
  /**
   * What exists now, including what was started by an engine that is gone.
   *
   * @param runtimeId of this runtime alone, where the target can tell without looking at all; absent = of all.
   */
  fetch(signal: AbortSignal, runtimeId?: string): Promise<readonly WorkloadObservation[]>
  /**
   * Takes the plan over and reports its stages. Returns when every change is under way, not when it is
   * ready: readiness is observed. Idempotent: applying what runs already changes nothing.
   */
  apply(plan: TargetPlan, signal: AbortSignal): AsyncIterable<StageEvent>
  /** Calls back after each change of an observation, with the workload's id. Returns the end of watching. */
  watch(onChange: (workloadId: string) => void): () => void
  info(): Promise<TargetInfo>
}
