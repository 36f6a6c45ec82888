import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { collect } from '../output/collect.ts'
import { parseCount, parseDuration } from '../output/parse-duration.ts'
import { table } from '../output/output.ts'

type Request = {
  id: string
  kept: string
  startDate: string
  workflowId: string
  status: string
  message: string
  elapsedMs: number
  overheadMs: number
}
type Step = {
  nodeId: string
  fromNodeId: string
  attempt: number
  transportMs: number | null
  queueMs: number
  handlerMs: number
  ok: boolean
  bytes: number
}

const FIELDS = 'id kept startDate workflowId status message elapsedMs overheadMs'

export function requestsCommand(version: Command, context: Context): void {
  version
    .command('requests <version> [request]')
    .description('requests kept as examples: failed ones, slow ones, some others; one with its way')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--status <status>', 'this gRPC status only; may be given again', collect)
    .option('--slower-than <duration>', 'those that took longer')
    .option('--limit <requests>', 'at most so many, 1 to 200', '20')
    .action(
      async (
        versionName: string,
        id: string | undefined,
        options: { runtime: string; status?: string[]; slowerThan?: string; limit: string },
      ) => {
        const client = await connectEngine(context)
        if (id !== undefined) {
          const { request } = await client.graphql<{
            request: (Request & { steps: Step[] }) | null
          }>(
            `query ($id: ID!, $runtimeId: ID!) { request(id: $id, runtimeId: $runtimeId) { ${FIELDS}
              steps { nodeId fromNodeId attempt transportMs queueMs handlerMs ok bytes } } }`,
            { id, runtimeId: options.runtime },
          )
          if (request === null)
            throw new KreError(
              'not-found',
              `the request "${id}" was not kept, or is gone: only some are, see krectl version requests --help`,
            )
          context.output.result(request, `${list([request])}\n\n${steps(request.steps)}`)
          return
        }
        const filters = {
          limit: parseCount('--limit', options.limit),
          ...(options.status === undefined ? {} : { statuses: options.status }),
          ...(options.slowerThan === undefined
            ? {}
            : { elapsedMsMin: parseDuration(options.slowerThan) }),
        }
        const { recentRequests } = await client.graphql<{ recentRequests: Request[] }>(
          `query ($runtimeId: ID!, $versionName: String!, $filters: RequestFilters) {
            recentRequests(runtimeId: $runtimeId, versionName: $versionName, filters: $filters) { ${FIELDS} } }`,
          { runtimeId: options.runtime, versionName, filters },
        )
        context.output.result(recentRequests, list(recentRequests))
      },
    )
}

function list(requests: readonly Request[]): string {
  return table(
    ['REQUEST', 'BEGAN', 'WORKFLOW', 'KEPT', 'STATUS', 'MS', 'OVERHEAD', 'MESSAGE'],
    requests.map((one) => [
      one.id,
      one.startDate,
      one.workflowId,
      one.kept,
      one.status,
      one.elapsedMs.toFixed(1),
      one.overheadMs.toFixed(2),
      one.message,
    ]),
    'No requests were kept.',
  )
}

function steps(all: readonly Step[]): string {
  return table(
    ['NODE', 'FROM', 'TRY', 'TRANSPORT', 'QUEUE', 'HANDLER', 'BYTES', 'RESULT'],
    all.map((one) => [
      one.nodeId,
      one.fromNodeId,
      String(one.attempt),
      one.transportMs === null ? '-' : one.transportMs.toFixed(2),
      one.queueMs.toFixed(2),
      one.handlerMs.toFixed(2),
      String(one.bytes),
      one.ok ? 'ok' : 'failed',
    ]),
    'No node has said anything of it yet.',
  )
}
