import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { startCluster } from '../minikube/cluster-calls.ts'
import { readClusterSettings } from '../minikube/cluster-settings.ts'
import { runCalls } from '../minikube/run-calls.ts'

export function startCommand(program: Command, context: Context): void {
  program
    .command('start')
    .description('starts minikube kre profile: a Kubernetes on this computer; dev needs none')
    .option('--dry-run', 'only say what would be called')
    .action(async ({ dryRun = false }: { dryRun?: boolean }) => {
      const settings = readClusterSettings(context.environment)
      await runCalls(context, [startCluster(settings)], { dryRun })
      if (dryRun) return
      const { profile } = settings
      context.output.result({ profile }, `The cluster of profile "${profile}" is up.`)
    })
}
