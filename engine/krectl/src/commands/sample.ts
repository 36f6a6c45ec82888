import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../output/exit-code.ts'
import { parseCount } from '../output/parse-duration.ts'

type Message = {
  type: string
  bytes: number
  isCut: boolean
  isHidden: boolean
  json: string | null
  problem: string
  base64: string | null
}
type EdgeSample = { requestId: string; date: string; message: Message }

type SampleOptions = { runtime: string; minutes?: string }

export function sampleCommand(version: Command, context: Context): void {
  version
    .command('sample <version> [from] [to]')
    .description(
      'keep samples of a version\'s messages for a while, or show those of an edge: "krectl version sample v1 entrypoint wf.a"',
    )
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--minutes <minutes>', 'keep some from now on, 1 to 1440; 0 ends it')
    .action(
      async (
        versionName: string,
        from: string | undefined,
        to: string | undefined,
        options: SampleOptions,
      ) => {
        if (options.minutes !== undefined) {
          const minutes = parseCount('--minutes', options.minutes)
          await keep(context, { runtimeId: options.runtime, versionName, minutes })
        }
        if (from !== undefined && to !== undefined)
          await show(context, { runtimeId: options.runtime, versionName, from, to })
        else if (from !== undefined || options.minutes === undefined)
          throw new UsageError(
            'say what: --minutes MINUTES keeps samples, and FROM TO shows those of an edge, for example entrypoint wf.a',
          )
      },
    )
}

async function keep(
  context: Context,
  input: { runtimeId: string; versionName: string; minutes: number },
): Promise<void> {
  const client = await connectEngine(context)
  const { sampleMessages } = await client.graphql<{
    sampleMessages: { samplingUntil: string | null }
  }>(
    'mutation ($input: SampleMessagesInput!) { sampleMessages(input: $input) { samplingUntil } }',
    { input },
  )
  const { samplingUntil } = sampleMessages
  context.output.result(
    sampleMessages,
    samplingUntil === null
      ? 'no more samples are kept'
      : `samples of messages are kept until ${samplingUntil}`,
  )
}

async function show(
  context: Context,
  edge: { runtimeId: string; versionName: string; from: string; to: string },
): Promise<void> {
  const { runtimeId, versionName, from, to } = edge
  const client = await connectEngine(context)
  const [workflowId = ''] = (from.includes('.') ? from : to).split('.')
  const { edgeSamples } = await client.graphql<{ edgeSamples: EdgeSample[] }>(
    `query ($runtimeId: ID!, $versionName: String!, $workflowId: ID!, $from: ID!, $to: ID!) {
       edgeSamples(runtimeId: $runtimeId, versionName: $versionName, workflowId: $workflowId, fromNodeId: $from, toNodeId: $to) {
         requestId date message { type bytes isCut isHidden json problem base64 } } }`,
    { runtimeId, versionName, workflowId, from, to },
  )
  context.output.result(
    edgeSamples,
    edgeSamples.length === 0
      ? 'no samples: keep some with --minutes, and let requests come'
      : edgeSamples.map(describe).join('\n'),
  )
}

function describe({ requestId, date, message }: EdgeSample): string {
  const { type, bytes, isHidden, json, problem, base64 } = message
  const contents = isHidden
    ? '(contents are not for you)'
    : (json ?? `${problem}: base64 ${base64 ?? ''}`)
  return `${date} ${requestId} ${type} ${bytes} bytes\n  ${contents}`
}
