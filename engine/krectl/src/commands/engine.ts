import type { EngineProcess, EngineStatus } from '@kre/contracts'
import type { Command } from 'commander'
import { connectEngine, requireLocal } from '../api/connect-engine.ts'
import { createLoginUrl } from '../api/login-url.ts'
import type { Context } from '../context.ts'
import { stopEngine, type StopResult } from '../engine/stop-engine.ts'
import { chooseTarget, TARGET_OPTION } from '../minikube/choose-target.ts'
import { stopCluster } from '../minikube/cluster-calls.ts'
import { readClusterSettings } from '../minikube/cluster-settings.ts'
import { describeLogin, logInDeployed } from '../minikube/log-in.ts'
import { runCalls } from '../minikube/run-calls.ts'
import { table } from '../output/output.ts'

const STOPPED: Readonly<Record<StopResult, string>> = {
  stopped: 'KRE is stopped. Its data stays.',
  leftovers: 'No engine was running; nothing of an earlier one is left running either.',
  nothing: 'No engine was running.',
}

export function engineCommands(program: Command, context: Context): void {
  program
    .command('stop')
    .description(
      'stops the local engine and everything it runs, or the cluster of minikube; data stays',
    )
    .option(...TARGET_OPTION)
    .option('--force', 'without draining, also an engine that hangs: requests under way are lost')
    .action(async (options: { force?: boolean; target?: string }) => {
      if (chooseTarget(context, options.target) === 'minikube') {
        const settings = readClusterSettings(context.environment)
        await runCalls(context, [stopCluster(settings)])
        const text = `The cluster of profile "${settings.profile}" is stopped. Its data stays.`
        return context.output.result({ stopped: true }, text)
      }
      requireLocal(context, 'stop', 'local')
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
    .option(...TARGET_OPTION)
    .action(async (options: { new?: boolean; user?: string; target?: string }) => {
      context.output.step('Calling Admin API...')
      const how = { renew: options.new === true, user: options.user ?? null }
      if (chooseTarget(context, options.target) === 'minikube') {
        const settings = readClusterSettings(context.environment)
        const login = await logInDeployed(context, settings, how)
        return context.output.result(login, describeLogin(login))
      }
      const url = await createLoginUrl(await connectEngine(context, 'local'), how)
      context.output.result({ url }, describeLogin({ url, forward: null, hosts: null }))
    })
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
