import type { Command } from 'commander'
import { connectAdmin } from '../api/admin-client.ts'
import type { Context } from '../context.ts'
import { table } from '../output/output.ts'

type Latency = { p50: number; p99: number } | null
type Total = {
  calls: number
  errors: number
  rate: number
  duration: Latency
  overhead: Latency
  transport: Latency
  queue: Latency
  handler: Latency
}
type Traffic = {
  endDate: string
  workflows: { workflowId: string; total: Total }[]
  nodes: { nodeId: string; total: Total }[]
  edges: { fromNodeId: string; toNodeId: string; total: Total }[]
}

const LATENCY = '{ p50 p99 }'
const TOTAL = `total { calls errors rate duration ${LATENCY} overhead ${LATENCY} transport ${LATENCY} queue ${LATENCY} handler ${LATENCY} }`
const SUBSCRIPTION = `subscription ($runtimeId: ID!, $versionName: String!) {
  watchTraffic(runtimeId: $runtimeId, versionName: $versionName) { endDate
    workflows { workflowId ${TOTAL} } nodes { nodeId ${TOTAL} } edges { fromNodeId toNodeId ${TOTAL} } } }`

/** From the top left corner on, and nothing behind what is written. */
const CLEAR_SCREEN = '\u{1b}[H\u{1b}[J'

export function topCommand(version: Command, context: Context): void {
  version
    .command('top <version>')
    .description('what it does right now: rates, errors and times of the last 5 s, every second')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--once', 'one picture, then end')
    .action(async (versionName: string, options: { runtime: string; once?: boolean }) => {
      const client = await connectAdmin(context.dataDir)
      const seen = new AbortController()
      const isScreen = (context.stdout as { isTTY?: boolean }).isTTY === true
      const show = (traffic: Traffic) => {
        if (seen.signal.aborted) return
        if (isScreen && !context.output.json && options.once !== true)
          context.stdout.write(CLEAR_SCREEN)
        if (options.once === true) {
          context.output.result(traffic, describe(versionName, traffic))
          seen.abort()
        } else context.output.line(traffic, describe(versionName, traffic))
      }
      await client
        .subscribe<{ watchTraffic: Traffic }>(
          SUBSCRIPTION,
          { runtimeId: options.runtime, versionName },
          ({ watchTraffic }) => show(watchTraffic),
          AbortSignal.any([context.signal, seen.signal]),
        )
        .catch((error: unknown) => {
          if (!context.signal.aborted && !seen.signal.aborted) throw error
        })
    })
}

function describe(versionName: string, { endDate, workflows, nodes, edges }: Traffic): string {
  const nothing = 'Nothing in the last 5 s.'
  const head = (name: string, ...times: string[]) => [name, 'RATE/S', 'ERRORS', ...times]
  return [
    `${versionName}  ${endDate}  times: median / p99 in ms`,
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
      head('NODE', 'HANDLER', 'QUEUE', 'TRANSPORT'),
      nodes.map(({ nodeId, total }) => [
        nodeId,
        ...counts(total),
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
