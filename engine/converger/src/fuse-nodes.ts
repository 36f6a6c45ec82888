import type { Fuse, GraphNode } from '@kre/contracts'

/**
 * Which nodes of a workflow share a process: those that feed each other, speak one language and have equally many
 * replicas, also where they follow their load. A message that waits on disk between two nodes keeps them apart, and so does a GPU.
 *
 * @param runnerOf what runs a node.
 * @returns every node once, in the order of the manifest; groups in the order of their first nodes.
 */
export function fuseNodes(
  nodes: readonly GraphNode[],
  fuse: Fuse,
  runnerOf: (node: GraphNode) => string | null,
): GraphNode[][] {
  const groups = new Map(nodes.map((node) => [node.id, [node]]))
  const canShare = (a: GraphNode, b: GraphNode) =>
    a.image === b.image &&
    runnerOf(a) === runnerOf(b) &&
    a.replicas === b.replicas &&
    scalesWith(a, b) &&
    isFree(a, fuse) &&
    isFree(b, fuse)
  for (const node of nodes) {
    for (const { from, durability } of node.subscriptions) {
      const sender = nodes.find(({ id }) => id === from)
      if (fuse === false || sender === undefined || durability !== 'fast') continue
      const own = groups.get(node.id) ?? []
      const other = groups.get(sender.id) ?? []
      if (own === other || !canShare(node, sender)) continue
      const joined = nodes.filter((each) => own.includes(each) || other.includes(each))
      for (const { id } of joined) groups.set(id, joined)
    }
  }
  return [...new Set(nodes.map(({ id }) => groups.get(id) ?? []))]
}

/** Whether both have the same number of replicas whatever happens: what asks for more may differ, as one process has both. */
function scalesWith({ autoscaling: a }: GraphNode, { autoscaling: b }: GraphNode): boolean {
  return a?.min === b?.min && a?.max === b?.max && a?.idleMs === b?.idleMs
}

/** Whoever gives a node resources of its own means a process of its own, unless the author says otherwise. */
function isFree({ gpu, resources }: GraphNode, fuse: Fuse): boolean {
  const hasResources = resources.cpuMillis !== null || resources.memoryBytes !== null
  return gpu === null && (fuse === true || !hasResources)
}
