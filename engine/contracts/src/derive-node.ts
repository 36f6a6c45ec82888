/** What is to be said of an entrypoint or node, from what is observed of its replicas. Pure. */
import type { Autoscaling } from './manifest/graph.ts'
import type { ReplicaObservation, WorkloadObservation } from './target.ts'
import type { NodeStatus } from './version-status.ts'

/** Restarts after which a replica that is not ready makes its version ERROR (it goes on being restarted). */
export const RESTARTS_UNTIL_ERROR = 3

export type DerivedState = {
  status: NodeStatus
  reason: string
  replicasReady: number
  /** As many as there shall be now. */
  replicasWanted: number
  restarts: number
  /** Its version can do its work: requests find it, or wait until it is awake. */
  isServing: boolean
  /** It has no replica, on purpose. */
  isAsleep: boolean
}

/**
 * @param workload absent = nothing is observed of it.
 * @param wanted whether its version shall run.
 * @param autoscaling of the node; absent = its number of replicas is fixed.
 */
export function deriveNode(
  workload: WorkloadObservation | undefined,
  wanted: boolean,
  autoscaling?: Autoscaling,
): DerivedState {
  const replicas = workload?.replicas ?? []
  const ready = replicas.filter((replica) => replica.state === 'ready')
  const facts = {
    replicasReady: ready.length,
    replicasWanted: workload?.replicasWanted ?? 0,
    restarts: replicas.reduce((sum, replica) => sum + replica.restarts, 0),
  }
  const say = (status: NodeStatus, reason: string, more: Partial<DerivedState> = {}) => ({
    ...facts,
    status,
    reason,
    isServing: status === 'STARTED',
    isAsleep: false,
    ...more,
  })
  if (!wanted) return say('STOPPED', '')
  if (isAsleep(workload, autoscaling)) return say('STARTED', 'scaled to zero', { isAsleep: true })
  const needed = replicasNeeded(facts.replicasWanted, autoscaling)
  const broken = replicas.find(isBroken)
  // One more that can't be had, or one in place of another, is no fault of those that serve.
  const isCurrent = ({ specHash }: ReplicaObservation) => specHash === workload?.specHash
  const isSpare = (one: ReplicaObservation) =>
    ready.filter(isCurrent).length >= needed && (autoscaling !== undefined || isCurrent(one))
  if (broken !== undefined && !isSpare(broken)) return say('ERROR', broken.reason)
  const why = replicas.find((replica) => replica.reason !== '')?.reason ?? ''
  if (workload !== undefined && ready.length >= needed)
    return say('STARTED', missingText(facts, why) || brokenText(broken) || lastEndText(ready))
  // Requests wait for one that wakes up.
  const wakes = workload?.scale !== undefined && autoscaling?.min === 0
  return say('STARTING', why, { isServing: wakes })
}

function isAsleep(
  workload: WorkloadObservation | undefined,
  autoscaling: Autoscaling | undefined,
): boolean {
  return (
    autoscaling?.min === 0 &&
    workload?.scale === 0 &&
    workload.replicas.every(({ state }) => state === 'stopping')
  )
}

/** Replicas without which a workload does not do its work: one that follows its load does it while more come up. */
export function replicasNeeded(
  replicasWanted: number,
  autoscaling: Pick<Autoscaling, 'min'> | undefined,
): number {
  if (autoscaling === undefined) return replicasWanted
  return Math.min(replicasWanted, Math.max(1, autoscaling.min))
}

function isBroken({ state, restarts, isOverdue }: ReplicaObservation): boolean {
  return (
    (state !== 'ready' && state !== 'stopping' && isOverdue) ||
    (state === 'backoff' && restarts >= RESTARTS_UNTIL_ERROR)
  )
}

/** Of one that was to take the place of another, which serves on. */
function brokenText(broken: ReplicaObservation | undefined): string {
  return broken === undefined
    ? ''
    : `a replica in place of one that serves does not start: ${broken.reason}`
}

/** Why a replica that is ready again ended a short time ago, where its target says so. */
function lastEndText(ready: readonly ReplicaObservation[]): string {
  return ready.find(({ reason }) => reason !== '')?.reason ?? ''
}

/** Said of a node that serves with fewer replicas than are wanted. */
function missingText(
  { replicasReady, replicasWanted }: Pick<DerivedState, 'replicasReady' | 'replicasWanted'>,
  why: string,
): string {
  if (replicasReady >= replicasWanted) return ''
  const count = `${replicasReady} of ${replicasWanted} replicas are ready`
  return why === '' ? count : `${count}: ${why}`
}
