import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'
import type { CheckResult, Outcome } from '../oip-check/check.ts'
import { UsageError } from '../output/exit-code.ts'
import { table } from '../output/output.ts'

type Options = { strict?: boolean }

export function oipCheckCommand(program: Command, context: Context): void {
  program
    .command('oip-check <rest-url> <grpc-address> <model>')
    .description(
      'check a server of the Open Inference Protocol v2, any server: http://HOST:PORT, HOST:PORT and the name of a model it has',
    )
    .option('--strict', 'fail, too, for what the published text leaves open and KRE refuses')
    .action(async (restUrl: string, grpcAddress: string, model: string, { strict }: Options) => {
      const rest = parseUrl(restUrl)
      if (!/^[^\s/:]+:\d+$|^\[[0-9a-fA-F:]+\]:\d+$/.test(grpcAddress))
        throw new UsageError(`"${grpcAddress}" is no HOST:PORT`)
      const { runOipCheck } = await import('../oip-check/run-oip-check.ts')
      const results = await runOipCheck(
        { rest, grpcAddress, model },
        ({ outcome, id, protocol, name }) =>
          context.output.step(`${outcome} ${id} ${protocol}: ${name}`),
        context.signal,
      )
      report(results, { model, rest, grpc: grpcAddress }, strict === true, context)
    })
}

function report(
  checks: readonly CheckResult[],
  server: { model: string; rest: string; grpc: string },
  isStrict: boolean,
  context: Context,
): void {
  const count = (outcome: Outcome) => checks.filter((check) => check.outcome === outcome).length
  const summary = {
    passed: count('passed'),
    failed: count('failed'),
    lax: count('lax'),
    skipped: count('skipped'),
  }
  const rows = checks
    .filter(({ outcome }) => outcome !== 'passed')
    .map(({ outcome, id, protocol, name, detail }) => [outcome, id, protocol, name, detail])
  const text = `${summary.passed} passed, ${summary.failed} failed, ${summary.lax} lax, ${summary.skipped} skipped`
  const details = table(['', 'ID', 'BY', 'WHAT', 'WHY'], rows, '')
  context.output.result(
    { ...server, ...summary, checks },
    details === '' ? text : `${details}\n\n${text}`,
  )
  const unmet = summary.failed + (isStrict ? summary.lax : 0)
  if (unmet > 0)
    throw new KreError(
      'failed-precondition',
      `the server does not meet ${unmet} of ${checks.length} checks of the Open Inference Protocol`,
    )
}

function parseUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`"${text}" is no http:// URL`)
  return url.href.replace(/\/+$/, '')
}
