import type { GraphNode, Workload, WorkflowGraph } from '@kre/contracts'

/** How a group of nodes, which share a process, follows its load. */
export function scalingOf(group: readonly GraphNode[]): Pick<Workload, 'scaling'> {
  const first = group[0]?.autoscaling
  if (first === undefined) return {}
  const nodes = group.flatMap(({ id, autoscaling }) => {
    if (autoscaling === undefined) return []
    const { targetInFlight, targetQueueAgeMs } = autoscaling
    return [{ node: id, targetInFlight, targetQueueAgeMs }]
  })
  return { scaling: { min: first.min, max: first.max, idleMs: first.idleMs, nodes } }
}

/** Whether it may have no replica while nobody asks. */
function maySleep({ autoscaling }: GraphNode): boolean {
  return autoscaling?.min === 0
}

/** Whether a node that may sleep listens to what a node sends. @param channel null = messages without one. */
export function feedsSleeper(
  { nodes }: WorkflowGraph,
  node: GraphNode,
  channel: string | null,
): boolean {
  return nodes.some(
    (other) =>
      maySleep(other) &&
      other.subscriptions.some((one) => one.from === node.id && one.channel === channel),
  )
}
