import type { Command } from 'commander'
import { SECOND_MS } from '@kre/contracts'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { describeTraffic, trafficFields, type Traffic } from '../output/describe-traffic.ts'
import { UsageError } from '../output/exit-code.ts'
import { parseDuration } from '../output/parse-duration.ts'

type Options = { runtime: string; since: string; until?: string; step?: string; points?: true }

export function trafficCommand(version: Command, context: Context): void {
  version
    .command('traffic <version>')
    .description('what a version did: rates, errors and times of workflows, nodes and edges')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--since <duration>', 'how far back', '1h')
    .option('--until <duration>', 'up to so long ago')
    .option('--points', 'with --json: the course of time, too')
    .option('--step <duration>', 'width of a point (default: about 300 points)')
    .action(async (versionName: string, options: Options) => {
      const now = Date.now()
      const ago = (duration: string) => new Date(now - parseDuration(duration)).toISOString()
      const variables = {
        runtimeId: options.runtime,
        versionName,
        from: ago(options.since),
        to: options.until === undefined ? null : ago(options.until),
        step: options.step === undefined ? null : parseStep(options.step),
      }
      const client = await connectEngine(context)
      const { traffic } = await client.graphql<{ traffic: Traffic }>(
        `query ($runtimeId: ID!, $versionName: String!, $from: String!, $to: String, $step: Int) {
          traffic(runtimeId: $runtimeId, versionName: $versionName, from: $from, to: $to, step: $step)
            ${trafficFields({ points: options.points === true })} }`,
        variables,
      )
      const title = `${versionName}  ${traffic.startDate} to ${traffic.endDate}`
      context.output.result(traffic, describeTraffic(title, traffic, 'Nothing in that time.'))
    })
}

/** The API counts in whole seconds. */
function parseStep(text: string): number {
  const seconds = parseDuration(text) / SECOND_MS
  if (Number.isInteger(seconds) && seconds > 0) return seconds
  throw new UsageError(`--step: "${text}" is not a number of whole seconds`)
}
