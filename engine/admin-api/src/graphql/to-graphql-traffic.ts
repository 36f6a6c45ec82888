import { ENTRYPOINT } from '@kre/contracts'
import type { KeptRequest, RequestStep, TrafficCounts } from '@kre/store'
import { visibleMessage } from '../logs/visible-message.ts'
import { latencyOf } from '../traffic/latency.ts'
import type { Traffic } from '../traffic/read-traffic.ts'
import type { TrafficSeries } from '../traffic/sum-traffic.ts'

export function toGraphqlTraffic({ from, to, stepMs, series }: Traffic) {
  const spanS = (to.getTime() - from.getTime()) / 1_000
  const stepS = stepMs / 1_000
  const convert = ({ total, points }: TrafficSeries) => ({
    total: toStats(total, spanS),
    points: points.map(({ at, counts }) => ({
      date: at.toISOString(),
      ...toStats(counts, stepS),
    })),
  })
  const nodeId = (workflow: string, node: string | null) => `${workflow}.${node ?? ''}`
  return {
    startDate: from.toISOString(),
    endDate: to.toISOString(),
    step: stepS,
    workflows: series
      .filter(({ scope }) => scope.node === null)
      .map((one) => ({ workflowId: one.scope.workflow, ...convert(one) })),
    nodes: series
      .filter(({ scope }) => scope.node !== null && scope.from === null)
      .map((one) => ({ nodeId: nodeId(one.scope.workflow, one.scope.node), ...convert(one) })),
    edges: series
      .filter(({ scope }) => scope.from !== null)
      .map((one) => ({
        workflowId: one.scope.workflow,
        fromNodeId:
          one.scope.from === ENTRYPOINT ? ENTRYPOINT : nodeId(one.scope.workflow, one.scope.from),
        toNodeId: nodeId(one.scope.workflow, one.scope.node),
        ...convert(one),
      })),
  }
}

function toStats({ calls, errors, times, queuedMax = 0 }: TrafficCounts, spanS: number) {
  return {
    calls,
    errors,
    rate: spanS === 0 ? 0 : calls / spanS,
    queued: queuedMax,
    duration: latencyOf(times.duration),
    overhead: latencyOf(times.overhead),
    transport: latencyOf(times.transport),
    queue: latencyOf(times.queue),
    handler: latencyOf(times.handler),
  }
}

export type GraphqlRequest = ReturnType<typeof toGraphqlRequest>

export function toGraphqlRequest(request: Omit<KeptRequest, 'steps'>) {
  return {
    id: request.id,
    runtimeId: request.runtimeId,
    versionName: request.version,
    workflowId: request.workflow,
    kept: request.kept,
    startDate: request.startedAt.toISOString(),
    elapsedMs: request.elapsedMs,
    handlerMs: request.handlerMs,
    overheadMs: Math.max(0, request.elapsedMs - request.handlerMs),
    status: request.status,
    message: visibleMessage(request.message),
    attempts: request.attempts,
    requestBytes: request.requestBytes,
  }
}

export function toGraphqlStep(step: RequestStep) {
  const { workflow, node, fromNode, attempt, transportMs, queueMs, handlerMs, ok, bytes } = step
  return {
    nodeId: `${workflow}.${node}`,
    fromNodeId: fromNode === ENTRYPOINT ? ENTRYPOINT : `${workflow}.${fromNode}`,
    arrivalDate: step.arrivedAt.toISOString(),
    attempt,
    transportMs,
    queueMs,
    handlerMs,
    ok,
    bytes,
  }
}
