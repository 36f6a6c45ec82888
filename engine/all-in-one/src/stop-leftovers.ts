/** Ends what a killed engine left running on a data folder. */
import { readdir } from 'node:fs/promises'
import { KreError } from '@kre/contracts'
import { createLocalTarget } from '@kre/k8s-manager'
import type { ServerAccounts } from '@kre/nats-manager'
import { connectNats, type Logger, untilReaped } from '@kre/service-kit'
import { claimDataDir } from './claim-data-dir.ts'
import type { Config } from './config.ts'
import { startNats } from './nats-side.ts'

const FETCH_TIMEOUT_MS = 5_000

/**
 * Entrypoints drain before nodes, nodes before NATS, as when an engine stops: so NATS is started for it where it is
 * gone, unless it is somebody else's. Needs no store, because what shall run is not asked for.
 */
export async function stopLeftovers(config: Config, logger: Logger): Promise<void> {
  const there: string[] = await readdir(config.dataDir).catch(() => [])
  const isOwnNats = config.target.nats === null
  if (!there.includes(isOwnNats ? 'nats' : 'run')) return // nothing ever ran here
  const claim = await claimDataDir(config.dataDir)
  try {
    const server = await startNats(config, logger, () => undefined)
    const guard = (await server.pids())?.guard ?? null
    const pids = guard === null ? [] : [guard]
    try {
      const nats = await connectNats(server.engineAccess(), 'kre-engine')
      await using accounts = await server.openAccounts(nats)
      pids.push(...(await stopProcesses(config, nats, accounts, logger)))
      await nats.close()
    } finally {
      await server.stop()
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
