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
  /**
   * Takes the place of what was seen of the runtime before: work that grows with that runtime, not with all of them.
   *
   * @returns names that are gone.
   */
  put(
    runtimeId: string,
    desired: readonly Workload[],
    observed: readonly WorkloadObservation[],
  ): readonly NodeName[]
  find(node: NodeName): NodeSight | undefined
  ofWorkflow(workflow: WorkflowName): readonly NodeName[]
  all(): readonly NodeSight[]
}

export function createNodeSights(): NodeSights {
  const runtimes = new Map<string, ReadonlyMap<NodeName, NodeSight>>()
  const nodes = new Map<NodeName, NodeSight>()
  const workflows = new Map<WorkflowName, readonly NodeName[]>()

  return {
    put(runtimeId, desired, observed) {
      const there = new Map(observed.map((one) => [one.id, one]))
      const sights = new Map(desired.flatMap((one) => sightsOf(one, there.get(one.id))))
      const before = runtimes.get(runtimeId) ?? new Map<NodeName, NodeSight>()
      const gone = [...before.keys()].filter((name) => !sights.has(name))
      for (const name of gone) nodes.delete(name)
      for (const [name, sight] of sights) nodes.set(name, sight)
      for (const name of gone) workflows.delete(workflowOf(name))
      for (const [workflow, names] of Map.groupBy(sights.keys(), workflowOf))
        workflows.set(workflow, names)
      if (sights.size === 0) runtimes.delete(runtimeId)
      else runtimes.set(runtimeId, sights)
      return gone
    },
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
  observed: WorkloadObservation | undefined,
): [NodeName, NodeSight][] {
  const ready = (observed?.replicas ?? []).filter(({ state }) => state === 'ready').length
  return nodeNames(workload).map((name) => {
    const [runtime = '', version = '', workflow = '', node = ''] = name.split('/')
    const labels = { runtime, version, workflow, node }
    return [name, { labels, wanted: workload.replicas, ready }]
  })
}
