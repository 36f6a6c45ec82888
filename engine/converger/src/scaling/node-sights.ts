/** The nodes that shall run, as the last pass over their runtime saw them. */
import type { Workload, WorkloadObservation } from '@kre/contracts'

/** `<runtime>/<version>/<workflow>/<node>`; none of them has a slash in it. */
export type NodeName = string
/** The same without the node. */
export type WorkflowName = string

export type NodeSight = {
  readonly labels: {
    readonly runtime: string
    readonly version: string
    readonly workflow: string
    readonly node: string
  }
  readonly wanted: number
  /** That take messages. */
  readonly ready: number
}

export type NodeSights = {
  /** Takes the place of what was seen of the runtime before. */
  put(
    runtimeId: string,
    desired: readonly Workload[],
    observed: readonly WorkloadObservation[],
  ): void
  /** All names. */
  names(): ReadonlySet<NodeName>
  find(node: NodeName): NodeSight | undefined
  ofWorkflow(workflow: WorkflowName): readonly NodeName[]
  all(): readonly NodeSight[]
}

export function createNodeSights(): NodeSights {
  const runtimes = new Map<string, ReadonlyMap<NodeName, NodeSight>>()
  let nodes: ReadonlyMap<NodeName, NodeSight> = new Map()
  let workflows: ReadonlyMap<WorkflowName, readonly NodeName[]> = new Map()

  return {
    put(runtimeId, desired, observed) {
      runtimes.set(runtimeId, new Map(desired.flatMap((one) => sightsOf(one, observed))))
      nodes = new Map([...runtimes.values()].flatMap((some) => [...some]))
      workflows = Map.groupBy(nodes.keys(), workflowOf)
    },
    names: () => new Set(nodes.keys()),
    find: (node) => nodes.get(node),
    ofWorkflow: (workflow) => workflows.get(workflow) ?? [],
    all: () => [...nodes.values()],
  }
}

/** All nodes of a workload; none of an entrypoint. */
export function nodeNames({ runtimeId, version, spec }: Workload): NodeName[] {
  if (spec.kind === 'entrypoint') return []
  const members = [spec, ...(spec.fused ?? [])]
  return members.map(({ workflow, node }) => [runtimeId, version, workflow, node].join('/'))
}

export function workflowOf(node: NodeName): WorkflowName {
  return node.slice(0, node.lastIndexOf('/'))
}

function sightsOf(
  workload: Workload,
  observed: readonly WorkloadObservation[],
): [NodeName, NodeSight][] {
  const replicas = observed.find(({ id }) => id === workload.id)?.replicas ?? []
  const ready = replicas.filter(({ state }) => state === 'ready').length
  return nodeNames(workload).map((name) => {
    const [runtime = '', version = '', workflow = '', node = ''] = name.split('/')
    const labels = { runtime, version, workflow, node }
    return [name, { labels, wanted: workload.replicas, ready }]
  })
}
