/** Whether messages can take their way through a workflow: no cycles, everything reached, an answer possible. */
import type { Edge } from './check-subscriptions.ts'
import type { DocumentPath } from './document-path.ts'
import { findCycles } from './find-cycles.ts'
import type { Report } from './issue-collector.ts'

export type GraphCheck = {
  workflow: string
  nodes: readonly {
    name: string
    path: DocumentPath
    edges: readonly Edge[]
    /** What reaches it is not known, because a subscription was refused. */
    isBroken: boolean
    /** May be part of a cycle. */
    isRevisited: boolean
  }[]
  /** Index of the exitpoint; null = unknown, which is reported elsewhere. */
  exitpoint: { index: number; path: DocumentPath } | null
}

/** Of a cycle's nodes in a message: enough to find the place. */
const CYCLE_NODES_SHOWN = 20

/** Linear in nodes and edges: manifests come from strangers. */
export function checkGraph(graph: GraphCheck, report: Report): void {
  const inputs = graph.nodes.map((node) =>
    node.edges.flatMap(({ from }) => (from === null ? [] : [from])),
  )
  const outputs: number[][] = graph.nodes.map(() => [])
  for (const [to, sources] of inputs.entries()) for (const from of sources) outputs[from]?.push(to)
  for (const cycle of findCycles(outputs)) reportCycle(graph, cycle, report)
  const roots = graph.nodes.flatMap((node, i) =>
    node.isBroken || node.edges.some(({ from }) => from === null) ? [i] : [],
  )
  reportUnreached(graph, walk(outputs, roots), report)
  const { exitpoint } = graph
  // A refused subscription may have been the way to the exitpoint.
  if (exitpoint === null || graph.nodes.some((node) => node.isBroken)) return
  const answering = walk(inputs, [exitpoint.index])
  for (const [i, node] of graph.nodes.entries()) {
    if (answering.has(i)) continue
    report.add({
      code: 'NODE_SIDE_BRANCH',
      path: node.path,
      message: `node "${node.name}": nothing it sends reaches the exitpoint of workflow "${graph.workflow}"`,
    })
  }
}

function reportUnreached(graph: GraphCheck, reached: ReadonlySet<number>, report: Report): void {
  for (const [i, node] of graph.nodes.entries()) {
    if (reached.has(i)) continue
    report.add({
      code: 'NODE_UNREACHABLE',
      path: node.path,
      message: `node "${node.name}": no message of the entrypoint reaches it in workflow "${graph.workflow}"`,
      hint: 'subscribe it, or a node before it, to entrypoint',
    })
  }
  const { exitpoint } = graph
  if (exitpoint === null || reached.has(exitpoint.index)) return
  report.add({
    code: 'EXITPOINT_UNREACHABLE',
    path: exitpoint.path,
    message: `workflow "${graph.workflow}": no message of the entrypoint reaches its exitpoint "${graph.nodes[exitpoint.index]?.name}", so no call would be answered`,
  })
}

/** @param cycle in the direction of the messages, each node once. */
function reportCycle(graph: GraphCheck, cycle: readonly number[], report: Report): void {
  if (cycle.some((i) => graph.nodes[i]?.isRevisited)) return
  const shown = cycle.length > CYCLE_NODES_SHOWN ? cycle.slice(0, CYCLE_NODES_SHOWN) : cycle
  const names = [...shown, cycle[0]].map((i) => `"${graph.nodes[i ?? 0]?.name}"`)
  if (shown !== cycle) names.splice(-1, 0, `${cycle.length - shown.length} more`)
  const [first, last] = [cycle[0], cycle.at(-1)]
  const node = graph.nodes[first ?? 0]
  const edge = node?.edges.find(({ from }) => from === last)
  report.add({
    code: 'GRAPH_CYCLE',
    path: edge?.path ?? node?.path ?? [],
    message: `workflow "${graph.workflow}": the nodes ${names.join(' -> ')} form a cycle`,
    hint: 'remove one of these subscriptions',
  })
}

/** Everything that can be reached from `roots`, themselves included. */
function walk(next: readonly (readonly number[])[], roots: readonly number[]): Set<number> {
  const reached = new Set(roots)
  const pending = [...roots]
  for (let i = pending.pop(); i !== undefined; i = pending.pop()) {
    for (const neighbour of next[i] ?? []) {
      if (reached.has(neighbour)) continue
      reached.add(neighbour)
      pending.push(neighbour)
    }
  }
  return reached
}
