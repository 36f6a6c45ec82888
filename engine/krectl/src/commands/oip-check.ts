import { createClient } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import type { Command } from 'commander'
import { KreError, SECOND_MS } from '@kre/contracts'
import { GRPCInferenceService } from '@kre/contracts/oip'
import type { Context } from '../context.ts'
import { type CheckResult, type Outcome, runChecks } from '../oip-check/check.ts'
import { extensionChecks } from '../oip-check/extension-checks.ts'
import { grpcChecks } from '../oip-check/grpc-checks.ts'
import { restChecks } from '../oip-check/rest-checks.ts'
import { UsageError } from '../output/exit-code.ts'
import { table } from '../output/output.ts'

type Options = { strict?: boolean }

/** A call that takes longer counts as failed. */
const CALL_TIMEOUT_MS = 30 * SECOND_MS

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
      const baseUrl = `http://${grpcAddress}`
      const sessionManager = new Http2SessionManager(baseUrl)
      const transport = createGrpcTransport({
        baseUrl,
        sessionManager,
        defaultTimeoutMs: CALL_TIMEOUT_MS,
      })
      const client = createClient(GRPCInferenceService, transport)
      let results: CheckResult[]
      try {
        results = await runChecks(
          [
            ...grpcChecks(client, model),
            ...restChecks(rest, model, context.signal),
            ...extensionChecks(client, rest, model, context.signal),
          ],
          ({ outcome, id, protocol, name }) =>
            context.output.step(`${outcome} ${id} ${protocol}: ${name}`),
        )
      } finally {
        sessionManager.abort() // the process would wait for it
      }
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
