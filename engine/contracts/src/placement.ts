/** What was last observed of a runtime, and the statuses that follow from it. */
import type { KrtManifest } from './manifest/graph.ts'
import type { Release } from './release.ts'
import type { WorkloadObservation } from './target.ts'
import type { NodeStatus, VersionStatus } from './version-status.ts'

/** A cache of observations, written by the converger alone. Losing it costs one pass, never a decision. */
export type Placement = {
  readonly runtimeId: string
  /** Generation of the release that the last pass worked on. */
  readonly generation: number
  readonly workloads: readonly WorkloadObservation[]
  /** Version in the routing table as read back; null = none. */
  readonly routed: string | null
  /** Why a version can't come up, by version name; a version without problems is absent. */
  readonly failures: Readonly<Record<string, string>>
  /** What the current pass is doing, by version name, for people who wait. */
  readonly stages: Readonly<Record<string, string>>
  /** Of the first of observations that look the same. */
  readonly observedAt: Date
}

export type DerivedNode = {
  workflow: string
  node: string
  status: NodeStatus
  reason: string
  replicasReady: number
  restarts: number
  /** Other nodes that share its process now. */
  fused: readonly string[]
}
export type DerivedVersion = {
  status: VersionStatus
  reason: string
  nodes: DerivedNode[]
  address: string
}

/** Restarts after which a replica that is not ready makes its version ERROR (it goes on being restarted). */
export const RESTARTS_UNTIL_ERROR = 3

/**
 * The status of a version, from intent and observation alone (seeds, derived statuses).
 *
 * @param release in force; null = no release was ever written.
 * @param wasWanted whether any release ever wanted the version.
 */
export function deriveVersion(input: {
  version: string
  manifest: KrtManifest
  release: Release | null
  wasWanted: boolean
  placement: Placement | null
}): DerivedVersion {
  const { version, manifest, release, placement } = input
  const wanted = release?.running.some((running) => running.version === version) ?? false
  const observed = (placement?.workloads ?? []).filter((workload) => workload.version === version)
  const nodes = manifest.workflows.flatMap((workflow) =>
    workflow.nodes.map((node): DerivedNode => {
      const found = observed.find(
        (workload) =>
          workload.workflow === workflow.id &&
          (workload.node === node.id || workload.fused?.includes(node.id) === true),
      )
      const members = [found?.node ?? node.id, ...(found?.fused ?? [])]
      const fused = members.filter((id) => id !== node.id)
      return { workflow: workflow.id, node: node.id, ...deriveNode(found, wanted), fused }
    }),
  )
  const entrypoint = observed.find((workload) => workload.role === 'entrypoint')
  const address = entrypoint?.address ?? ''
  const describe = (status: VersionStatus, reason: string): DerivedVersion => ({
    status,
    reason,
    nodes,
    address,
  })

  if (!wanted) {
    if (observed.some((workload) => workload.replicas.length > 0))
      return describe('STOPPING', waitingFor(observed, 'is not gone yet'))
    return describe(input.wasWanted ? 'STOPPED' : 'CREATED', '')
  }
  const failure = placement?.failures[version]
  if (failure !== undefined) return describe('ERROR', failure)
  const failed = nodes.find((node) => node.status === 'ERROR')
  if (failed !== undefined) return describe('ERROR', `node "${failed.node}": ${failed.reason}`)
  const entrypointState = deriveNode(entrypoint, wanted)
  if (entrypointState.status === 'ERROR')
    return describe('ERROR', `entrypoint: ${entrypointState.reason}`)
  const current =
    placement !== null && release !== null && placement.generation >= release.generation
  const ready =
    nodes.every((node) => node.status === 'STARTED') && entrypointState.status === 'STARTED'
  if (!ready)
    return describe(
      'STARTING',
      placement?.stages[version] ?? waitingFor(observed, 'is not ready yet'),
    )
  if (release?.published === version) {
    return placement?.routed === version
      ? describe('PUBLISHED', '')
      : describe('STARTED', 'publishing')
  }
  return describe('STARTED', current ? '' : 'a change is being applied')
}

function deriveNode(
  workload: WorkloadObservation | undefined,
  wanted: boolean,
): Pick<DerivedNode, 'status' | 'reason' | 'replicasReady' | 'restarts'> {
  const replicas = workload?.replicas ?? []
  const replicasReady = replicas.filter((replica) => replica.state === 'ready').length
  const restarts = replicas.reduce((sum, replica) => sum + replica.restarts, 0)
  const facts = { replicasReady, restarts }
  if (!wanted) return { status: 'STOPPED', reason: '', ...facts }
  const broken = replicas.find(
    ({ state, restarts, isOverdue }) =>
      (state !== 'ready' && state !== 'stopping' && isOverdue) ||
      (state === 'backoff' && restarts >= RESTARTS_UNTIL_ERROR),
  )
  if (broken !== undefined) return { status: 'ERROR', reason: broken.reason, ...facts }
  if (workload !== undefined && replicasReady >= workload.replicasWanted)
    return { status: 'STARTED', reason: '', ...facts }
  return {
    status: 'STARTING',
    reason: replicas.find((replica) => replica.reason !== '')?.reason ?? '',
    ...facts,
  }
}

/** @param otherwise said of one that gives no reason. */
function waitingFor(workloads: readonly WorkloadObservation[], otherwise: string): string {
  const waiting = workloads.find((workload) =>
    workload.replicas.some((replica) => replica.state !== 'ready'),
  )
  if (waiting === undefined) return ''
  const reason = waiting.replicas.find((replica) => replica.reason !== '')?.reason
  const who = waiting.node === null ? 'entrypoint' : `node "${waiting.node}"`
  return reason === undefined ? `${who} ${otherwise}` : `${who}: ${reason}`
}
