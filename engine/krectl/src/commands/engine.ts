import type { EngineProcess, EngineStatus } from '@kre/contracts'
import type { Command } from 'commander'
import type { AdminClient } from '../api/admin-client.ts'
import { connectEngine, requireLocal } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { stopEngine, type StopResult } from '../engine/stop-engine.ts'
import { table } from '../output/output.ts'

const STOPPED: Readonly<Record<StopResult, string>> = {
  stopped: 'KRE is stopped. Its data stays.',
  leftovers: 'No engine was running; nothing of an earlier one is left running either.',
  nothing: 'No engine was running.',
}

export function engineCommands(program: Command, context: Context): void {
  program
    .command('stop')
    .description('stops the local engine and everything it runs; data stays')
    .option('--force', 'without draining, also an engine that hangs: requests under way are lost')
    .action(async (options: { force?: boolean }) => {
      requireLocal(context, 'stop')
      const result = await stopEngine(context, options)
      context.output.result({ stopped: result === 'stopped' }, STOPPED[result])
    })

  program
    .command('status')
    .description('the engine, its processes and addresses')
    .action(async () => {
      const status = await (
        await connectEngine(context)
      ).rest<EngineStatus>('GET', '/api/v1/status')
      context.output.result(status, describe(status))
    })

  program
    .command('login')
    .description('creates a login URL for the admin page')
    .option('--new', 'forget the link that was made before')
    .option('--user <email>', 'signs in as this user (default: the owner of this engine)')
    .action(async (options: { new?: boolean; user?: string }) => {
      context.output.step('Calling Admin API...')
      const client = await connectEngine(context)
      const url = await createLoginUrl(client, {
        renew: options.new === true,
        user: options.user ?? null,
      })
      context.output.result({ url }, `Login done. Open your browser at:\n\n  ${url}\n\nDone.`)
    })
}

/** A link that signs a browser in, once. @param user null = the owner of the development token. */
export async function createLoginUrl(
  client: AdminClient,
  { renew, user }: { renew: boolean; user: string | null },
): Promise<string> {
  const query = new URLSearchParams({
    ...(renew ? { new: '1' } : {}),
    ...(user === null ? {} : { user }),
  })
  return (await client.rest<{ url: string }>('POST', `/api/v1/auth/login-link?${query}`)).url
}

function placeOf({ runtime, version, node, fused }: EngineProcess): string {
  const nodes = node === null ? null : [node, ...fused].join(' + ')
  return [runtime, version, nodes].filter((part) => part !== null).join(' / ')
}

function describe(status: EngineStatus): string {
  const processes = status.processes.map((process) => [
    process.role,
    placeOf(process),
    process.pid === null ? '-' : String(process.pid),
    process.state,
    String(process.restarts),
    process.reason,
  ])
  const addresses = status.addresses.map((entry) => [entry.name, entry.address])
  return [
    `KRE ${status.engine.version}, data in ${status.engine.dataDir}`,
    '',
    table(['ROLE', 'OF', 'PID', 'STATE', 'RESTARTS', 'REASON'], processes, 'no processes'),
    '',
    table(['ADDRESS OF', 'WHERE'], addresses, 'no addresses'),
  ].join('\n')
}
