import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { parseCount } from '../output/parse-duration.ts'
import { parseBytes } from '../output/parse-bytes.ts'

type LogLimits = {
  days: number | null
  bytesMax: number | null
  usage: { lines: number; bytes: number }
}
const FIELDS = 'days bytesMax usage { lines bytes }'
/** Takes a limit of the runtime's own away, so that the engine's alone counts. */
const NONE = 'none'

export function logLimitsCommand(runtime: Command, context: Context): void {
  runtime
    .command('log-limits <id>')
    .description("how much of a runtime's log is kept, and how much there is; sets what is named")
    .option('--days <days>', `1 to 365, or "${NONE}"`)
    .option('--bytes <size>', `1MiB to 1TiB, or "${NONE}"`)
    .action(async (id: string, options: { days?: string; bytes?: string }) => {
      const days = options.days === undefined ? undefined : parseDays(options.days)
      const bytesMax = options.bytes === undefined ? undefined : parseSize(options.bytes)
      const client = await connectEngine(context)
      const { logLimits: now } = await client.graphql<{ logLimits: LogLimits }>(
        `query ($runtimeId: ID!) { logLimits(runtimeId: $runtimeId) { ${FIELDS} } }`,
        { runtimeId: id },
      )
      if (days === undefined && bytesMax === undefined)
        return context.output.result(now, describe(now))
      const input = {
        runtimeId: id,
        days: days === undefined ? wholeDays(now.days) : days,
        bytesMax: bytesMax === undefined ? now.bytesMax : bytesMax,
      }
      const { updateLogLimits } = await client.graphql<{ updateLogLimits: LogLimits }>(
        `mutation ($input: UpdateLogLimitsInput!) { updateLogLimits(input: $input) { ${FIELDS} } }`,
        { input },
      )
      context.output.result(updateLogLimits, describe(updateLogLimits))
    })
}

function parseDays(text: string): number | null {
  return text === NONE ? null : parseCount('--days', text)
}

function parseSize(text: string): number | null {
  return text === NONE ? null : parseBytes('--bytes', text)
}

/** The API takes whole days alone, and tells what is kept. */
function wholeDays(days: number | null): number | null {
  if (days === null || Number.isInteger(days)) return days
  throw new KreError(
    'failed-precondition',
    `the log is kept for ${days} days now: name --days, too`,
  )
}

function describe({ days, bytesMax, usage }: LogLimits): string {
  return [
    `age    ${days === null ? "the engine's limit" : `${days} days`}`,
    `size   ${bytesMax === null ? "the engine's limit" : `${bytesMax} bytes`}`,
    `there  ${usage.lines} lines, ${usage.bytes} bytes`,
  ].join('\n')
}
