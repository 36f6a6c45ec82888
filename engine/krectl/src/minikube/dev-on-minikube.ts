import { deploy } from '../commands/deploy.ts'
import type { Context } from '../context.ts'
import { startCluster } from './cluster-calls.ts'
import { readClusterSettings } from './cluster-settings.ts'
import { describeLogin, logInDeployed } from './log-in.ts'
import { runCalls } from './run-calls.ts'

/** The original's way: a cluster, a database, the images, the release, and a link. Running it again goes on where it failed. */
export async function devOnMinikube(
  context: Context,
  { skipBuild }: { skipBuild: boolean },
): Promise<void> {
  const settings = readClusterSettings(context.environment)
  await runCalls(context, [startCluster(settings)])
  const all = { build: !skipBuild, createNamespace: true, withMongodb: true, values: [] }
  await deploy(context, settings, all)
  const login = await logInDeployed(context, settings, { renew: false, user: null })
  const { profile, release, namespace } = settings
  context.output.result({ profile, release, namespace, ...login }, describeLogin(login))
}
