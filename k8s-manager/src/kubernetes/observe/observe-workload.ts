/** A Deployment and its pods as the engine sees workloads. Pure. */
import type { ReplicaObservation, Workload, WorkloadObservation } from '@kre/contracts'
import type { V1Deployment, V1Pod } from '@kubernetes/client-node'
import { isMadeWith } from '../manifests/deployment.ts'
import { ANNOTATION } from '../manifests/identity.ts'
import { serviceAddress } from '../manifests/service.ts'
import { placeOf, readWorkloadRecord } from '../manifests/workload-record.ts'
import type { KubernetesSettings } from '../settings.ts'
import { creationProblem } from './creation-problem.ts'
import { podState } from './pod-state.ts'

/** @returns null for a Deployment with our labels and without a workload on it: somebody has edited it. */
export function observeWorkload(
  deployment: V1Deployment,
  pods: readonly V1Pod[],
  settings: KubernetesSettings,
  nowMs: number,
): WorkloadObservation | null {
  const workload = workloadIn(deployment)
  if (workload === null) return null
  const { specHash } = workload
  const isLeaving = isBeingRemoved(deployment)
  const replicasWanted = isLeaving ? 0 : (deployment.spec?.replicas ?? 1)
  const former = formerNote(deployment, settings)
  const replicas = pods
    .map((pod) => podState(pod, nowMs, settings.startTimeoutMs))
    .map((one) => (one.state === 'ready' && one.reason === '' ? { ...one, reason: former } : one))
    .toSorted((a, b) => a.replica - b.replica)
  const current = replicas.filter((one) => one.specHash === specHash && one.state !== 'stopping')
  const problem = current.length < replicasWanted ? creationProblem(deployment) : null
  return {
    ...placeOf(workload),
    replicasWanted,
    // As it was applied: what somebody scales by hand is drift.
    ...(isLeaving ? {} : { scale: workload.replicas }),
    specHash,
    replicas: problem === null ? replicas : [...replicas, unmade(problem, specHash)],
    address: workload.spec.kind === 'entrypoint' ? serviceAddress(workload.id, settings) : '',
  }
}

/** Said of a workload that an upgrade of the engine has left as it was. */
function formerNote(deployment: V1Deployment, settings: KubernetesSettings): string {
  if (isMadeWith(settings, deployment)) return ''
  const until =
    settings.rollAtOnce === 0
      ? 'until its version is stopped and started'
      : 'until its turn comes to be rolled to those of now'
  return `runs with images and settings of an engine before this one ${until}`
}

/**
 * Reading one takes time, and while a version starts each of its Deployments is asked a dozen times. Of thousands that
 * nobody asks, the text on the Deployment is enough: the next collection lets go what was read.
 */
const known = new WeakMap<V1Deployment, WeakRef<Workload>>()

/** What the Deployment is to run; null = nobody can say. */
export function workloadIn(deployment: V1Deployment): Workload | null {
  const before = known.get(deployment)?.deref()
  if (before !== undefined) return before
  const workload = readWorkloadRecord(deployment.metadata?.annotations?.[ANNOTATION.spec])
  if (workload !== null) known.set(deployment, new WeakRef(workload))
  return workload
}

export function isBeingRemoved({ metadata }: V1Deployment): boolean {
  return (
    metadata?.annotations?.[ANNOTATION.removing] !== undefined ||
    metadata?.deletionTimestamp !== undefined
  )
}

/** A replica that has no pod, and so no state of its own, whose reason must be seen. */
export function unmade(reason: string, specHash: string): ReplicaObservation {
  return {
    replica: 0,
    state: 'backoff',
    specHash,
    pid: null,
    startedAt: null,
    restarts: 0,
    isOverdue: true,
    reason,
  }
}
