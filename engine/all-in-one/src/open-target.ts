/** Where versions run: on this computer, or on a cluster. */
import { readFile } from 'node:fs/promises'
import { stripBundle } from '@kre/bundle'
import {
  type BundleFacts,
  KreError,
  MINUTE_MS,
  type Target,
  toKreError,
  writeStrippedCode,
} from '@kre/contracts'
import type { Fence } from '@kre/converger'
import { createLocalTarget } from '@kre/k8s-manager'
import { openBundleShelf, type ServerAccounts } from '@kre/nats-manager'
import type { connectNats, Logger } from '@kre/service-kit'
import type { Store } from '@kre/store'
import type { Config } from './config.ts'

export type OpenTarget = Target &
  AsyncDisposable & {
    /** Ends all that runs on this computer; what runs on a cluster goes on. */
    stopAll(): Promise<void>
  }

/** How often bundles of versions that do not run any more are looked for. */
const TIDY_MS = 10 * MINUTE_MS

type TargetDeps = {
  config: Config
  store: Store
  nats: Awaited<ReturnType<typeof connectNats>>
  logger: Logger
  fence: Fence
}

/** @throws KreError `failed-precondition`, `invalid-argument` for settings of a cluster that can't be used. */
export async function openTarget(deps: TargetDeps, accounts: ServerAccounts): Promise<OpenTarget> {
  const { kubernetes } = deps.config.target
  if (kubernetes === null) return openLocalTarget(deps, accounts)
  return openKubernetesTarget(deps, accounts, kubernetes)
}

function openLocalTarget(
  { config, store, nats, logger }: TargetDeps,
  accounts: ServerAccounts,
): Promise<OpenTarget> {
  return createLocalTarget({
    dataDir: config.dataDir,
    cacheDir: config.cacheDir,
    bundles: store.bundles,
    descriptorSet: (digest) => descriptorSetOf(store, digest),
    nats,
    runnerAccess: (workload) => accounts.access(workload),
    certificates: () => accounts.certificates(),
    logger,
    environment: config.environment,
    ports: { publishedBase: config.entrypointPort },
    onProgress: (version, { stage, message }) => logger.info({ ...version, stage }, message),
    settings: {
      drainMs: config.drainMs,
      engineAbsenceMs: config.engineAbsenceMs,
      startTimeoutMs: config.startTimeoutMs,
      tracing: config.tracing,
      isolation: config.isolation,
      ...(config.nodeMemoryBytesMax === null ? {} : { memoryBytesMax: config.nodeMemoryBytesMax }),
    },
  })
}

async function openKubernetesTarget(
  { config, store, nats, logger, fence }: TargetDeps,
  accounts: ServerAccounts,
  { file, kubeconfig }: NonNullable<Config['target']['kubernetes']>,
): Promise<OpenTarget> {
  // The client is loaded by those who use it.
  const { createKubernetesTarget, openCluster, readKubernetesSettings } =
    await import('@kre/k8s-manager/kubernetes')
  const settings = readKubernetesSettings(await readSettings(file), file, config.tracing)
  const shelf = openBundleShelf(
    nats,
    {
      archive: (digest) => store.bundles.path(digest),
      descriptorSet: (digest) => descriptorSetOf(store, digest),
      strippedCode: (digest) => strippedCodeOf(store, digest, logger),
    },
    { replicas: config.target.nats?.replicas ?? 1, now: () => performance.now() },
  )
  const cluster = openCluster(kubeconfig)
  const target = createKubernetesTarget({
    cluster,
    settings,
    logger,
    runnerAccess: (workload) => accounts.access(workload),
    certificates: () => accounts.certificates(),
    provideBundle: (digest) => shelf.provide(digest),
  })
  const { namespace, installation } = settings
  logger.info({ server: cluster.server, namespace, installation }, 'versions run on Kubernetes')
  const tidy = async () => {
    fence.assertHeld()
    await shelf.keepOnly(await digestsWanted(store))
  }
  const tidying = setInterval(() => {
    tidy().catch((error: unknown) => logger.warn({ error }, 'unused bundles stay in NATS for now'))
  }, TIDY_MS)
  return {
    ...target,
    stopAll: async () => undefined,
    async [Symbol.asyncDispose]() {
      clearInterval(tidying)
      await target[Symbol.asyncDispose]()
      cluster[Symbol.dispose]()
    },
  }
}

async function readSettings(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new KreError(
      'failed-precondition',
      `the settings of Kubernetes can't be read: ${toKreError(error).message}`,
      {},
      { cause: error },
    )
  })
}

/** Of all versions that are to run. */
async function digestsWanted({
  runtimes,
  releases,
  versions,
}: Pick<Store, 'runtimes' | 'releases' | 'versions'>): Promise<Set<string>> {
  const digests = new Set<string>()
  for (const { id } of await runtimes.list()) {
    const release = await releases.current(id)
    const running = new Set(release?.running.map(({ version }) => version))
    if (running.size === 0) continue
    for (const { name, bundleDigest } of await versions.list(id))
      if (running.has(name)) digests.add(bundleDigest)
  }
  return digests
}

async function descriptorSetOf(store: Store, digest: string): Promise<Uint8Array> {
  return Buffer.from((await factsOf(store, digest)).descriptorSet, 'base64')
}

/** What can't be stripped here is stripped by each process of a node, which then takes more time and memory. */
async function strippedCodeOf(store: Store, digest: string, logger: Logger): Promise<Uint8Array> {
  const { files } = await factsOf(store, digest)
  const code = await stripBundle(await store.bundles.path(digest), files).catch(
    (error: unknown) => {
      logger.warn({ error, digest }, 'pods strip the types of a bundle themselves')
      return new Map<string, string>()
    },
  )
  return writeStrippedCode(code)
}

async function factsOf(store: Store, digest: string): Promise<BundleFacts> {
  for (const runtime of await store.runtimes.list()) {
    const version = (await store.versions.list(runtime.id)).find(
      (candidate) => candidate.bundleDigest === digest,
    )
    if (version !== undefined) return version.facts
  }
  throw new KreError('not-found', `no version uses the bundle ${digest}`)
}
