import { Graph, layout } from '@dagrejs/dagre'
import type { WorkflowGraph } from './graph-model.ts'

/** In pixels at full size; the style sheet uses the same. */
export const NODE_SIZE = { width: 264, height: 92 } as const
const GAP = { nodesep: 28, ranksep: 96, marginx: 8, marginy: 8 } as const
/** Many nodes are looked at from far away, where edges have no words that need room. */
const NARROW = { ...GAP, ranksep: 64 } as const
const MANY_NODES = 24

export type Place = { readonly x: number; readonly y: number }

/** Left upper corners, in layers from left to right as messages go. */
export function layoutGraph({ nodes, edges }: WorkflowGraph): ReadonlyMap<string, Place> {
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', ...(nodes.length > MANY_NODES ? NARROW : GAP) })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id } of nodes) graph.setNode(id, { ...NODE_SIZE })
  for (const { from, to } of edges) graph.setEdge(from, to)
  layout(graph)
  return new Map(
    nodes.map(({ id }) => {
      const { x = 0, y = 0 } = graph.node(id) as Partial<Place>
      return [id, { x: x - NODE_SIZE.width / 2, y: y - NODE_SIZE.height / 2 }]
    }),
  )
}
