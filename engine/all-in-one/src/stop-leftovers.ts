/** Ends what a killed engine left running on a data folder. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { createLocalTarget } from '@kre/k8s-manager'
import { openServerAccounts, type ServerAccounts, startLocalNatsServer } from '@kre/nats-manager'
import { connectNats, findNatsServer, type Logger, untilReaped } from '@kre/service-kit'
import { claimDataDir } from './claim-data-dir.ts'
import type { Config } from './config.ts'

const FETCH_TIMEOUT_MS = 5_000

/**
 * Entrypoints drain before nodes, nodes before NATS, as when an engine stops: so NATS is started for it where it is
 * gone. Needs no store, because what shall run is not asked for.
 */
export async function stopLeftovers(config: Config, logger: Logger): Promise<void> {
  const there: string[] = await readdir(config.dataDir).catch(() => [])
  if (!there.includes('nats')) return // nothing ever ran here
  const claim = await claimDataDir(config.dataDir)
  try {
    const natsServer = await startLocalNatsServer({
      dir: join(config.dataDir, 'nats'),
      binary: await findNatsServer({ cacheDir: config.cacheDir, path: config.path }),
      engineAbsenceMs: config.engineAbsenceMs,
      logger,
    })
    const pids = [natsServer.guardPid()]
    try {
      const nats = await connectNats(natsServer.engineAccess, 'kre-engine')
      await using accounts = await openServerAccounts(natsServer, config.natsCredentialsMs)
      pids.push(...(await stopProcesses(config, nats, accounts, logger)))
      await nats.close()
    } finally {
      await natsServer.stop()
    }
    await untilReaped(pids)
  } finally {
    await claim.release()
  }
}

async function stopProcesses(
  config: Config,
  nats: Awaited<ReturnType<typeof connectNats>>,
  accounts: ServerAccounts,
  logger: Logger,
): Promise<number[]> {
  const startsNothing = async () => {
    throw new KreError(
      'failed-precondition',
      'the engine is being stopped: nothing starts any more',
    )
  }
  await using target = await createLocalTarget({
    dataDir: config.dataDir,
    bundles: { path: startsNothing },
    descriptorSet: startsNothing,
    nats,
    runnerAccess: (workload) => accounts.access(workload),
    logger,
    environment: config.environment,
    ports: { publishedBase: config.entrypointPort },
    settings: { drainMs: config.drainMs, engineAbsenceMs: config.engineAbsenceMs },
  })
  const pids = (await target.fetch(AbortSignal.timeout(FETCH_TIMEOUT_MS))).flatMap(({ replicas }) =>
    replicas.flatMap(({ pid }) => pid ?? []),
  )
  await target.stopAll()
  return pids
}
