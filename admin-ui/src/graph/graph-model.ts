/** A workflow as a graph to draw: where messages come in, nodes, and edges with what they carry and how. Pure. */
import type { EdgeDurability, NodeStatus, VersionFacts } from '../gen/documents.ts'

export type WorkflowFacts = VersionFacts['workflows'][number]
export type NodeFacts = WorkflowFacts['nodes'][number]

export const ENTRYPOINT_ID = 'entrypoint'

export type GraphNode = {
  /** `Node.id`, or `entrypoint`. */
  readonly id: string
  readonly name: string
  readonly status: NodeStatus | null
  readonly statusReason: string
  readonly replicas: number
  readonly replicasReady: number
  readonly restarts: number
  /** Its first output answers the caller. */
  readonly isExitpoint: boolean
}

export type GraphEdge = {
  readonly id: string
  readonly from: string
  readonly to: string
  /** Named outputs that go this way; empty = the plain output alone. */
  readonly channels: readonly string[]
  /** Of several ways between two nodes the most lasting one. */
  readonly durability: EdgeDurability
  /** Both ends share a process now. */
  readonly isFused: boolean
}

export type WorkflowGraph = {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** Several inputs between the same two nodes are one edge. */
export function graphOf(workflow: WorkflowFacts): WorkflowGraph {
  const known = new Set([ENTRYPOINT_ID, ...workflow.nodes.map(({ id }) => id)])
  const edges = workflow.nodes.flatMap(({ id: to, inputs }) => {
    const bySender = Map.groupBy(
      inputs.filter(({ fromNodeId }) => known.has(fromNodeId)),
      ({ fromNodeId }) => fromNodeId,
    )
    return [...bySender].map(([from, own]) => edgeOf(from, to, own))
  })
  return {
    nodes: [entrypointOf(workflow), ...workflow.nodes.map((node) => nodeOf(node, workflow))],
    edges,
  }
}

/** From the one that is lost with a process to the one that outlives the broker. */
const LASTING: readonly EdgeDurability[] = ['fast', 'memory', 'durable']

function edgeOf(from: string, to: string, inputs: NodeFacts['inputs']): GraphEdge {
  return {
    id: `${from}>${to}`,
    from,
    to,
    channels: inputs.flatMap(({ channel }) => channel ?? []),
    durability:
      LASTING.findLast((one) => inputs.some(({ durability }) => durability === one)) ?? 'fast',
    isFused: inputs.every(({ isFused }) => isFused),
  }
}

function entrypointOf({ entrypoint }: WorkflowFacts): GraphNode {
  return {
    id: ENTRYPOINT_ID,
    name: entrypoint,
    status: null,
    statusReason: '',
    replicas: 0,
    replicasReady: 0,
    restarts: 0,
    isExitpoint: false,
  }
}

function nodeOf(
  { id, name, status, statusReason, replicas, replicasReady, restarts }: NodeFacts,
  { exitpoint }: WorkflowFacts,
): GraphNode {
  const isExitpoint = name === exitpoint
  return { id, name, status, statusReason, replicas, replicasReady, restarts, isExitpoint }
}

/** As its author wrote it. */
export function nameOf(graph: WorkflowGraph, id: string): string {
  return graph.nodes.find((node) => node.id === id)?.name ?? id
}
