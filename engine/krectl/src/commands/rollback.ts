import type { Command } from 'commander'
import { isAllowed, KreError, type VersionStatus } from '@kre/contracts'
import type { AdminClient } from '../api/admin-client.ts'
import { connectEngine } from '../api/connect-engine.ts'
import { operate, WAIT_DEFAULT, waitForStatus } from '../api/versions.ts'
import type { Context } from '../context.ts'
import { parseDuration } from '../output/parse-duration.ts'

type Options = { runtime: string; comment: string; wait: boolean; timeout: string }
type Situation = {
  publishedVersion: { name: string } | null
  previousVersion: { name: string; status: VersionStatus } | null
}

const SITUATION = `query ($id: ID!) { runtime(id: $id) {
  publishedVersion { name } previousVersion { name status } } }`

/** `version rollback`: publishes what was published before, and nothing when somebody publishes meanwhile. */
export function rollbackCommand(version: Command, context: Context): void {
  version
    .command('rollback')
    .description('publishes the version of before again; one that does not run is started first')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--comment <text>', 'why, for the history', 'rollback by krectl')
    .option('--no-wait', 'return as soon as the engine took it over; nothing is started then')
    .option('--timeout <duration>', 'longest wait of each step', WAIT_DEFAULT)
    .action(async (options: Options) => {
      const client = await connectEngine(context)
      const { runtime } = await client.graphql<{ runtime: Situation }>(SITUATION, {
        id: options.runtime,
      })
      const { previousVersion: previous, publishedVersion: published } = runtime
      if (previous === null) throw nothingBefore(options.runtime)
      const { name } = previous
      const wait = waiterFor(client, context, name, options)
      if (options.wait && isAllowed('start', previous.status)) {
        context.output.step(`Version "${name}" does not run: it is started first.`)
        await operate(client, 'start', options.runtime, name, options.comment)
        await wait(['STARTED'], previous.status === 'ERROR')
      } else if (options.wait && previous.status === 'STARTING') await wait(['STARTED'])
      const condition = { ifPublished: published?.name ?? '' }
      await operate(client, 'publish', options.runtime, name, options.comment, condition)
      const result = { version: name, insteadOf: published?.name ?? null }
      if (!options.wait)
        return context.output.result(result, `Taken over: publish "${name}" again.`)
      await wait(['PUBLISHED'])
      const before = published === null ? '' : `, instead of "${published.name}"`
      context.output.result(result, `Version "${name}" is published again${before}.`)
    })
}

function waiterFor(client: AdminClient, context: Context, name: string, options: Options) {
  const timeoutMs = parseDuration(options.timeout)
  return (statuses: readonly VersionStatus[], wasInError = false) =>
    waitForStatus(client, options.runtime, name, statuses, {
      onChange: (change) => context.output.step(`  ${change}`),
      timeoutMs,
      signal: context.signal,
      wasInError,
    })
}

function nothingBefore(runtimeId: string): KreError {
  return new KreError(
    'failed-precondition',
    `runtime "${runtimeId}" has no version that was published before and is still there: choose one of "krectl version list -r ${runtimeId}" and publish it`,
  )
}
