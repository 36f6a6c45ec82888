import { table } from './output.ts'

type Latency = { p50: number; p99: number } | null
type Total = {
  calls: number
  errors: number
  rate: number
  /** Of nodes: messages that waited for a handler. */
  queued: number
  duration: Latency
  overhead: Latency
  transport: Latency
  queue: Latency
  handler: Latency
}
export type Traffic = {
  startDate: string
  endDate: string
  workflows: { workflowId: string; total: Total }[]
  nodes: { nodeId: string; total: Total }[]
  edges: { fromNodeId: string; toNodeId: string; total: Total }[]
}

const LATENCY = '{ count mean p50 p90 p95 p99 }'
const TIMES = `duration ${LATENCY} overhead ${LATENCY} transport ${LATENCY} queue ${LATENCY} handler ${LATENCY}`
const TOTAL = `total { calls errors rate queued ${TIMES} }`
const POINTS = `points { date calls errors rate queued ${TIMES} }`

/** Fields of a `Traffic`. */
export function trafficFields({ points }: { points: boolean }): string {
  const of = (ids: string) => `{ ${ids} ${TOTAL} ${points ? POINTS : ''} }`
  return `{ startDate endDate step workflows ${of('workflowId')} nodes ${of('nodeId')} edges ${of('workflowId fromNodeId toNodeId')} }`
}

/** @param nothing what stands in place of a table without rows. */
export function describeTraffic(
  title: string,
  { workflows, nodes, edges }: Traffic,
  nothing: string,
): string {
  const head = (name: string, ...times: string[]) => [name, 'RATE/S', 'ERRORS', ...times]
  return [
    `${title}  times: median / p99 in ms`,
    '',
    table(
      head('WORKFLOW', 'DURATION', 'OVERHEAD'),
      workflows.map(({ workflowId, total }) => [
        workflowId,
        ...counts(total),
        times(total.duration),
        times(total.overhead),
      ]),
      nothing,
    ),
    '',
    table(
      head('NODE', 'WAITING', 'HANDLER', 'QUEUE', 'TRANSPORT'),
      nodes.map(({ nodeId, total }) => [
        nodeId,
        ...counts(total),
        String(total.queued),
        times(total.handler),
        times(total.queue),
        times(total.transport),
      ]),
      nothing,
    ),
    '',
    table(
      head('EDGE', 'TRANSPORT'),
      edges.map(({ fromNodeId, toNodeId, total }) => [
        `${fromNodeId} -> ${toNodeId}`,
        ...counts(total),
        times(total.transport),
      ]),
      nothing,
    ),
  ].join('\n')
}

function counts({ rate, errors }: Total): string[] {
  return [rate.toFixed(1), String(errors)]
}

function times(latency: Latency): string {
  return latency === null ? '-' : `${milliseconds(latency.p50)} / ${milliseconds(latency.p99)}`
}

function milliseconds(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0)
}
