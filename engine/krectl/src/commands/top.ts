import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { describeTraffic, trafficFields, type Traffic } from '../output/describe-traffic.ts'

const SUBSCRIPTION = `subscription ($runtimeId: ID!, $versionName: String!) {
  watchTraffic(runtimeId: $runtimeId, versionName: $versionName) ${trafficFields({ points: false })} }`

/** From the top left corner on, and nothing behind what is written. */
const CLEAR_SCREEN = '\u{1b}[H\u{1b}[J'

export function topCommand(version: Command, context: Context): void {
  version
    .command('top <version>')
    .description('what it does right now: rates, errors and times of the last 5 s, every second')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--once', 'one picture, then end')
    .action(async (versionName: string, options: { runtime: string; once?: boolean }) => {
      const client = await connectEngine(context)
      const seen = new AbortController()
      const isScreen = (context.stdout as { isTTY?: boolean }).isTTY === true
      const describe = (traffic: Traffic) =>
        describeTraffic(`${versionName}  ${traffic.endDate}`, traffic, 'Nothing in the last 5 s.')
      const show = (traffic: Traffic) => {
        if (seen.signal.aborted) return
        if (isScreen && !context.output.json && options.once !== true)
          context.stdout.write(CLEAR_SCREEN)
        if (options.once === true) {
          context.output.result(traffic, describe(traffic))
          seen.abort()
        } else context.output.line(traffic, describe(traffic))
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
