/** What the last seconds of a version were like, as the engine tells it every second. Pure. */
import type { WatchTrafficResult } from '../gen/documents.ts'
import { ENTRYPOINT_ID } from './graph-model.ts'

export type Traffic = WatchTrafficResult['watchTraffic']
type OfNode = Traffic['nodes'][number]['total']
type OfEdge = Traffic['edges'][number]['total']
type OfWorkflow = Traffic['workflows'][number]['total']

/** Of a workflow, a node or an edge: what does not apply to one is absent. */
export type Figures = Pick<OfNode, 'calls' | 'errors' | 'rate'> &
  Partial<Omit<OfNode & OfEdge & OfWorkflow, 'calls' | 'errors' | 'rate'>> & {
    /** Nothing happened in the last seconds: the times are of an earlier moment. */
    readonly isPast: boolean
  }

export type TrafficView = {
  /** Whether the engine has told anything: before that nothing is known, and after it silence means that nothing happens. */
  readonly isKnown: boolean
  /** By `workflowFigure`, `nodeFigure` and `edgeFigure`. */
  readonly figures: ReadonlyMap<string, Figures>
}

export const NO_TRAFFIC: TrafficView = { isKnown: false, figures: new Map() }

/** Of a node, or of the whole workflow where `id` is the entrypoint. */
export function nodeFigure(workflowId: string, id: string): string {
  return id === ENTRYPOINT_ID ? `workflow ${workflowId}` : `node ${id}`
}

export function edgeFigure(workflowId: string, from: string, to: string): string {
  return `edge ${workflowId} ${from} ${to}`
}

/** What was measured stays, as past, where nothing new was: figures do not come and go with every second request. */
export function nextTrafficView(before: TrafficView, traffic: Traffic): TrafficView {
  const figures = new Map<string, Figures>()
  for (const { workflowId, total } of traffic.workflows)
    figures.set(nodeFigure(workflowId, ENTRYPOINT_ID), { ...total, isPast: false })
  for (const { nodeId, total } of traffic.nodes)
    figures.set(`node ${nodeId}`, { ...total, isPast: total.calls === 0 })
  for (const { workflowId, fromNodeId, toNodeId, total } of traffic.edges)
    figures.set(edgeFigure(workflowId, fromNodeId, toNodeId), { ...total, isPast: false })
  for (const [key, last] of before.figures) {
    const now = figures.get(key)
    if (now === undefined) figures.set(key, last.isPast ? last : toPast(last))
    else if (now.isPast) figures.set(key, { ...toPast(last), queued: now.queued ?? 0 })
  }
  return { isKnown: true, figures }
}

function toPast(figures: Figures): Figures {
  return { ...figures, calls: 0, errors: 0, rate: 0, queued: 0, isPast: true }
}
