/** What was last observed of a runtime, and the statuses that follow from it. */
import { deriveNode, type DerivedState } from './derive-node.ts'
import type { GraphNode, KrtManifest, WorkflowGraph } from './manifest/graph.ts'
import type { Release } from './release.ts'
import type { WorkloadObservation } from './target.ts'
import type { VersionStatus } from './version-status.ts'

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

export type DerivedNode = DerivedState & {
  workflow: string
  node: string
  /** Other nodes that share its process now. */
  fused: readonly string[]
}
export type DerivedVersion = {
  status: VersionStatus
  reason: string
  nodes: DerivedNode[]
  address: string
}

const CHANGING = 'a change is being applied'

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
    workflow.nodes.map((node) => deriveNodeOf(workflow, node, observed, wanted)),
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
  const current =
    placement !== null && release !== null && placement.generation >= release.generation
  const entrypointState = deriveNode(entrypoint, wanted)
  const failure = placement?.failures[version] ?? failureOf(nodes, entrypointState)
  // A failure of before says nothing of a start that nobody has looked at yet.
  const isStartedAnew =
    !current && release?.cause.operation === 'start' && release.cause.version === version
  if (failure !== null)
    return isStartedAnew ? describe('STARTING', CHANGING) : describe('ERROR', failure)
  const ready = nodes.every((node) => node.isServing) && entrypointState.status === 'STARTED'
  if (!ready)
    return describe(
      'STARTING',
      placement?.stages[version] ?? waitingFor(observed, 'is not ready yet'),
    )
  if (release?.published === version) {
    return placement?.routed === version
      ? describe('PUBLISHED', asleepText(nodes))
      : describe('STARTED', 'publishing')
  }
  return describe('STARTED', current ? asleepText(nodes) : CHANGING)
}

function failureOf(nodes: readonly DerivedNode[], entrypoint: DerivedState): string | null {
  const failed = nodes.find((node) => node.status === 'ERROR')
  if (failed !== undefined) return `node "${failed.node}": ${failed.reason}`
  return entrypoint.status === 'ERROR' ? `entrypoint: ${entrypoint.reason}` : null
}

function deriveNodeOf(
  workflow: WorkflowGraph,
  { id, autoscaling }: GraphNode,
  observed: readonly WorkloadObservation[],
  wanted: boolean,
): DerivedNode {
  const found = observed.find(
    (workload) =>
      workload.workflow === workflow.id &&
      (workload.node === id || workload.fused?.includes(id) === true),
  )
  const members = [found?.node ?? id, ...(found?.fused ?? [])]
  const fused = members.filter((member) => member !== id)
  return { workflow: workflow.id, node: id, ...deriveNode(found, wanted, autoscaling), fused }
}

/** Of a version that runs: which of its nodes have no replica until somebody asks. */
function asleepText(nodes: readonly DerivedNode[]): string {
  const waking = nodes.filter(({ status }) => status === 'STARTING').map(({ node }) => node)
  if (waking.length > 0) return `${named(waking)} wake${waking.length === 1 ? 's' : ''} up`
  const asleep = nodes.filter(({ isAsleep }) => isAsleep).map(({ node }) => node)
  if (asleep.length === 0) return ''
  return `scaled to zero: ${named(asleep)} start${asleep.length === 1 ? 's' : ''} with the next request`
}

function named(nodes: readonly string[]): string {
  const quoted = nodes.map((node) => `"${node}"`).join(', ')
  return `${nodes.length === 1 ? 'node' : 'nodes'} ${quoted}`
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
