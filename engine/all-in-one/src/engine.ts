/**
 * The laptop's engine: all services in one process, wired in memory, with a guarded nats-server beside it.
 * What it starts outlives it: killed, it is followed by an engine that takes everything over. Several of them can work
 * on one data folder: each serves the API, one of them leads.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createAdminApi, type AcquireShared, type AdminApi } from '@kre/admin-api'
import { ingestBundle } from '@kre/bundle'
import { ENGINE_HEARTBEAT_SUBJECT, SECOND_MS, type EventBus, type NatsAccess } from '@kre/contracts'
import {
  connectNats,
  createEventBus,
  createSharedEventBus,
  readEngineRecords,
  type Logger,
} from '@kre/service-kit'
import type { KeyKeeper, Store } from '@kre/store'
import { claimDataDir, ownRecord } from './claim-data-dir.ts'
import { claimOrWait } from './claim-or-wait.ts'
import { sharesInstallation, type Config } from './config.ts'
import { describeEngine } from './describe-engine.ts'
import { disableCoreDumps } from './disable-core-dumps.ts'
import { encryptStore } from './encrypt-store.ts'
import { joinDataDir, type Membership } from './join-data-dir.ts'
import { createAcquireShared } from './leadership/acquire-shared.ts'
import { holderOf } from './leadership/campaign.ts'
import { openLeadership, type Leadership } from './leadership/leadership.ts'
import type { Link } from './leadership/take-seat.ts'
import { listenPort } from './listen-port.ts'
import { makePrivate } from './make-private.ts'
import { openStore } from './open-store.ts'
import { readSecrets, type Secrets } from './read-secrets.ts'
import { signInDeps } from './sign-in-config.ts'

/** Where `npm run build -w @kre/admin-ui` puts the admin UI. */
const UI_DIR = join(import.meta.dirname, '../../../admin-ui/dist')

/** How often an engine says that it is there, and looks whether its folder is. */
const BEAT_MS = 2 * SECOND_MS

export type Engine = {
  adminUrl: string
  /**
   * Ends the engine and everything it runs, entrypoints first; where another engine works on the folder, that one
   * takes over instead.
   */
  stop(): Promise<void>
  /** Ends the engine alone; versions go on and wait for the next one. */
  leave(): Promise<void>
}

/** @param onLost is told why the engine is of no use any more: its data folder, or its lease, is gone. */
export async function startEngine(
  config: Config,
  logger: Logger,
  onLost: (why: string) => void = () => undefined,
): Promise<Engine> {
  const say = (message: string) => logger.info({ progress: true }, message)
  await makePrivate(config.dataDir)
  await disableCoreDumps(logger)
  const release: (() => PromiseLike<unknown>)[] = []
  const unwind = async () => {
    for (const step of release.splice(0).toReversed()) await step()
  }
  try {
    const member = await joinDataDir(config.dataDir)
    release.push(() => member.release())
    const claim = config.joins
      ? await claimOrWait(config.dataDir)
      : await claimDataDir(config.dataDir)
    if (claim !== null) release.push(() => claim.release())
    const raw = await openStore(config, logger, { isAlone: (await member.others()).length === 0 })
    release.push(() => raw[Symbol.asyncDispose]())
    const isShared = sharesInstallation(config)
    // On computers of their own pids tell nothing.
    const holder = isShared
      ? `engine ${config.target.engineName} ${randomUUID()}`
      : holderOf(await ownRecord())
    const isGone = async (other: string) =>
      !isShared &&
      other !== holder &&
      !(await member.others()).some((one) => holderOf(one) === other)
    const acquire = createAcquireShared({
      leases: raw.leases,
      holder,
      isGone,
      logger,
      now: () => performance.now(),
    })
    const { store, keys } = await encryptStore(raw, config, logger, acquire)
    const secrets = await readSecrets({
      dataDir: config.dataDir,
      given: config.target.secretFiles,
      audit: raw.audit,
    })
    const linking = createLinking({ store, holder, logger })
    release.push(() => linking[Symbol.asyncDispose]())
    const leadership = await openLeadership(
      {
        config,
        store,
        logger,
        configKey: secrets.pepper,
        holder,
        isGone,
        link: linking.link,
        say,
        onLost: () => onLost('an engine of another data folder works on its store'),
      },
      claim,
    )
    release.push(() => leadership.leave())
    release.push(watchFolder(leadership, member, { logger, onLost }))
    const deps = { config, store, keys, secrets, acquire, member, leadership, logger }
    const { adminUrl, close } = await serve(deps, say)
    release.push(close)
    leadership.follow(adminUrl)
    logger.info({ adminUrl, dataDir: config.dataDir, pid: process.pid }, 'the engine is up')
    return {
      adminUrl,
      leave: unwind,
      async stop() {
        // What runs on a cluster is nobody's who works on it.
        const isLast = (await member.others()).length === 0
        if (isLast && config.target.kubernetes === null) await leadership.stop()
        await unwind()
      },
    }
  } catch (error) {
    await unwind()
    throw error
  }
}

type ServeDeps = {
  config: Config
  store: Store
  keys: KeyKeeper
  secrets: Secrets
  acquire: AcquireShared
  member: Membership
  leadership: Leadership
  logger: Logger
}

/** Serves the admin API, and writes down where. */
async function serve(
  deps: ServeDeps,
  say: (message: string) => void,
): Promise<{ adminUrl: string; close: () => Promise<void> }> {
  const { config, member, leadership } = deps
  const url = { admin: '' }
  const admin = createApi(deps, url)
  const listening = await listenPort(
    'the admin API',
    config.adminPort,
    // The first one's has always been there, and is what people have as a bookmark.
    member.name === 'engine' ? join(config.dataDir, 'admin-port') : member.file('port'),
    (port) => admin.listen({ host: config.target.adminHost, port }),
    say,
  )
  url.admin = `http://localhost:${new URL(listening.address).port}`
  await member.write(url.admin)
  await leadership.write(url.admin)
  return { adminUrl: url.admin, close: () => listening.close() }
}

function createApi(deps: ServeDeps, url: { admin: string }): AdminApi {
  const { config, store, keys, secrets, acquire, member, leadership, logger } = deps
  const { dataDir } = config
  const startedAt = new Date()
  return createAdminApi({
    store,
    events: leadership.link.events,
    ingest: ingestBundle,
    logger,
    now: () => new Date(),
    ...secrets,
    engineId: sharesInstallation(config) ? config.target.engineName : member.name,
    acquire,
    publicUrl: () => config.signIn.publicUrl ?? url.admin,
    uploadLimits: config.uploadLimits,
    graphqlUploads: config.graphqlUploads,
    uiDir: UI_DIR,
    auditAgeMs: config.auditAgeMs,
    ...signInDeps(config.signIn, dataDir),
    keys,
    metrics: () => leadership.role().metrics(),
    liveTraffic: (...of) => leadership.role().live(...of),
    describe: async () =>
      describeEngine({
        role: leadership.role(),
        natsAddress: leadership.natsAddress,
        engines: await readEngineRecords(dataDir),
        adminUrl: url.admin,
        dataDir,
        startedAt,
      }),
  })
}

/** Keeps the records of who is there, and finds out when the data folder is gone. */
function watchFolder(
  leadership: Leadership,
  member: Membership,
  { logger, onLost }: { logger: Logger; onLost: (why: string) => void },
): () => Promise<void> {
  const look = async (): Promise<void> => {
    if (!(await leadership.mend()) || !(await member.isThere()))
      onLost('its data folder was removed')
  }
  const looking = setInterval(() => {
    look().catch((error: unknown) => logger.warn({ error }, 'engine.json is damaged'))
  }, BEAT_MS)
  return async () => clearInterval(looking)
}

/**
 * Connects to NATS when it is asked for the first time; everybody gets the same connection. Processes of versions hear
 * on it that an engine is there, whichever.
 */
function createLinking(deps: {
  store: Store
  holder: string
  logger: Logger
}): AsyncDisposable & { link: (access: () => NatsAccess) => Promise<Link> } {
  const { store, holder: origin, logger } = deps
  let linked: Promise<Link> | null = null
  let heart: NodeJS.Timeout | undefined
  const connect = async (access: () => NatsAccess): Promise<Link> => {
    const nats = await connectNats(access, 'kre-engine')
    const beat = () => {
      if (!nats.isClosed()) nats.publish(ENGINE_HEARTBEAT_SUBJECT)
    }
    beat()
    heart = setInterval(beat, BEAT_MS)
    const local = createEventBus((error) => logger.error({ error }, 'a listener failed'))
    const onGap = () =>
      void hintAll(store, local).catch((error: unknown) =>
        logger.warn({ err: error }, 'what changed meanwhile is seen later'),
      )
    return { nats, events: createSharedEventBus({ local, nats, origin, logger, onGap }) }
  }
  return {
    link: (access) => (linked ??= connect(access)),
    async [Symbol.asyncDispose]() {
      clearInterval(heart)
      await (await linked?.catch(() => null))?.nats.close()
    },
  }
}

/** Lets everybody look anew who listens in this process. */
async function hintAll({ runtimes }: Pick<Store, 'runtimes'>, events: EventBus): Promise<void> {
  for (const { id: runtimeId } of await runtimes.list())
    for (const type of ['release.written', 'placement.observed', 'logs.written'] as const)
      events.publish({ type, runtimeId })
}
