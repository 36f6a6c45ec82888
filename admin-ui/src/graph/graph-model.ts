/** A workflow as a graph to draw: where messages come in, nodes, and edges with their channels. Pure. */
import type { NodeStatus, VersionFacts } from '../gen/documents.ts'

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
}

export type WorkflowGraph = {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** Several subscriptions between the same two nodes are one edge. */
export function graphOf(workflow: WorkflowFacts): WorkflowGraph {
  const idOf = new Map<string, string>([[ENTRYPOINT_ID, ENTRYPOINT_ID]])
  for (const { id, name } of workflow.nodes) {
    idOf.set(name, id)
    idOf.set(id.slice(id.indexOf('.') + 1), id)
  }
  const edges = new Map<string, { from: string; to: string; channels: string[] }>()
  for (const node of workflow.nodes)
    for (const subscription of node.subscriptions) {
      const { source, channel } = readSubscription(subscription, idOf)
      if (source === null) continue
      const id = `${source}>${node.id}`
      const edge = edges.get(id) ?? { from: source, to: node.id, channels: [] }
      if (channel !== null) edge.channels.push(channel)
      edges.set(id, edge)
    }
  return {
    nodes: [entrypointOf(workflow), ...workflow.nodes.map((node) => nodeOf(node, workflow))],
    edges: [...edges].map(([id, edge]) => ({ id, ...edge })),
  }
}

/** `entrypoint`, `node` or `node.channel`. */
function readSubscription(
  text: string,
  idOf: ReadonlyMap<string, string>,
): { source: string | null; channel: string | null } {
  const whole = idOf.get(text)
  if (whole !== undefined) return { source: whole, channel: null }
  const dot = text.indexOf('.')
  if (dot < 0) return { source: null, channel: null }
  return { source: idOf.get(text.slice(0, dot)) ?? null, channel: text.slice(dot + 1) }
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
