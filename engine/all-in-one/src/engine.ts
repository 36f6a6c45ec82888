/**
 * The laptop's engine: all services in one process, wired in memory, with a guarded nats-server beside it.
 * What it starts outlives it: killed, it is followed by an engine that takes everything over.
 */
import { randomBytes } from 'node:crypto'
import { access, chmod, constants, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAdminApi, openObserver } from '@kre/admin-api'
import { ingestBundle } from '@kre/bundle'
import {
  ALL_KEPT_REQUESTS,
  ALL_METRICS,
  ALL_REQUEST_STEPS,
  ENGINE_HEARTBEAT_SUBJECT,
  HOUR_MS,
  KreError,
  resolveRunner,
  SECOND_MS,
} from '@kre/contracts'
import { createConverger, type CompileSettings } from '@kre/converger'
import { createLocalTarget } from '@kre/k8s-manager'
import { createMongoWriter } from '@kre/mongo-writer'
import { createNatsManager, startLocalNatsServer } from '@kre/nats-manager'
import {
  connectNats,
  createEventBus,
  createMetricsCollector,
  findNatsServer,
  type Logger,
} from '@kre/service-kit'
import type { Store } from '@kre/store'
import { disableCoreDumps } from './disable-core-dumps.ts'
import { encryptStore } from './encrypt-store.ts'
import { claimDataDir } from './claim-data-dir.ts'
import type { Config } from './config.ts'
import { describeEngine } from './describe-engine.ts'
import { listenPort } from './listen-port.ts'
import { signInDeps } from './sign-in-config.ts'
import { openStore } from './open-store.ts'

export type Engine = {
  adminUrl: string
  /** Ends the engine and everything it runs, entrypoints first. */
  stop(): Promise<void>
  /** Ends the engine alone; versions go on and wait for the next one. */
  leave(): Promise<void>
}

/** @param onLost is told when somebody removed the data folder: without it the engine is of no use. */
export async function startEngine(
  config: Config,
  logger: Logger,
  onLost: () => void = () => undefined,
): Promise<Engine> {
  const progress = (message: string) => logger.info({ progress: true }, message)
  await makePrivate(config.dataDir)
  await disableCoreDumps(logger)
  const claim = await claimDataDir(config.dataDir)
  const release: (() => PromiseLike<unknown>)[] = [() => claim.release()]
  const closing = new AbortController()
  const unwind = async () => {
    closing.abort()
    for (const step of release.splice(0).toReversed()) await step()
  }
  try {
    const raw = await openStore(config, logger)
    release.push(() => raw[Symbol.asyncDispose]())
    const { store, keys } = await encryptStore(raw, config, logger)
    const secrets = await readSecrets(config.dataDir)

    const binary = await findNatsServer({
      cacheDir: config.cacheDir,
      path: config.path,
      onProgress: progress,
    })
    const natsServer = await startLocalNatsServer({
      dir: join(config.dataDir, 'nats'),
      binary,
      // Its clients drain first.
      engineAbsenceMs: config.engineAbsenceMs + config.drainMs + 5 * SECOND_MS,
      logger,
    })
    let isUp = false
    release.push(async () => {
      // A start that failed leaves nothing behind that was not there before.
      if (isUp || natsServer.adopted) await natsServer[Symbol.asyncDispose]()
      else await natsServer.stop()
    })
    const nats = await connectNats(natsServer.engineAccess, 'kre-engine')
    release.push(() => nats.close())
    progress(`nats-server is up on port ${natsServer.port}`)

    const beat = () => {
      if (!nats.isClosed()) nats.publish(ENGINE_HEARTBEAT_SUBJECT)
      claim
        .mend()
        .then((isOurs) => isOurs || onLost())
        .catch((error: unknown) => logger.warn({ error }, 'engine.json is damaged'))
    }
    beat()
    const heart = setInterval(beat, 2 * SECOND_MS)
    release.push(async () => clearInterval(heart))

    const events = createEventBus((error) => logger.error({ error }, 'a listener failed'))
    const target = await createLocalTarget({
      dataDir: config.dataDir,
      cacheDir: config.cacheDir,
      bundles: store.bundles,
      descriptorSet: (digest) => descriptorSetOf(store, digest),
      nats,
      runnerAccess: () => natsServer.runnerAccess,
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
        ...(config.nodeMemoryBytesMax === null
          ? {}
          : { memoryBytesMax: config.nodeMemoryBytesMax }),
      },
    })
    release.push(() => target[Symbol.asyncDispose]())

    const writer = createMongoWriter({
      store,
      nats,
      logger,
      events,
      retention: { ageMs: config.logBounds.ageMs, everyMs: HOUR_MS },
    })
    release.push(() => writer[Symbol.asyncDispose]())
    await writer.start(closing.signal)

    const converger = createConverger({
      store,
      target,
      nats: await createNatsManager(nats),
      settings: compileSettings(config, secrets.pepper),
      logger,
      events,
      now: () => new Date(),
    })
    release.push(() => converger[Symbol.asyncDispose]())
    await converger.start(closing.signal)

    const metrics = createMetricsCollector(Date.now, (increment) => observer.count(increment))
    const observer = await openObserver({
      store,
      collector: metrics,
      logger,
      logBounds: config.logBounds,
    })
    release.push(() => observer[Symbol.asyncDispose]())
    hear(nats, ALL_METRICS, (subject, data) => metrics.accept(data, subject))
    hear(nats, ALL_KEPT_REQUESTS, observer.kept)
    hear(nats, ALL_REQUEST_STEPS, observer.steps)
    const startedAt = new Date()
    let adminUrl = ''
    const admin = createAdminApi({
      store,
      events,
      ingest: ingestBundle,
      logger,
      now: () => new Date(),
      ...secrets,
      publicUrl: () => config.signIn.publicUrl ?? adminUrl,
      uploadLimits: config.uploadLimits,
      graphqlUploads: config.graphqlUploads,
      ...signInDeps(config.signIn, config.dataDir),
      keys,
      metrics: () => metrics.expose(),
      liveTraffic: observer.live,
      describe: () =>
        describeEngine({ target, natsServer, adminUrl, dataDir: config.dataDir, startedAt }),
    })
    const listening = await listenPort(
      'the admin API',
      config.adminPort,
      join(config.dataDir, 'admin-port'),
      (port) => admin.listen({ host: '127.0.0.1', port }),
      progress,
    )
    release.push(() => listening.close())
    adminUrl = `http://localhost:${new URL(listening.address).port}`
    await claim.write(adminUrl)
    isUp = true
    logger.info({ adminUrl, dataDir: config.dataDir, pid: process.pid }, 'the engine is up')

    return {
      adminUrl,
      leave: unwind,
      async stop() {
        progress('stopping: entrypoints, nodes, NATS')
        await converger[Symbol.asyncDispose]()
        await target.stopAll()
        // What the nodes wrote last reaches the store before NATS ends; what does not is in its stream.
        await writer[Symbol.asyncDispose]()
        await nats
          .drain()
          .catch((error: unknown) => logger.warn({ error }, 'NATS was gone before the engine'))
        await natsServer.stop()
        await unwind()
      },
    }
  } catch (error) {
    await unwind()
    throw error
  }
}

/** Hands every message on the subject over, until the connection closes. */
function hear(
  nats: Awaited<ReturnType<typeof connectNats>>,
  subject: string,
  take: (subject: string, data: Uint8Array) => void,
): void {
  nats.subscribe(subject, {
    callback(error, message) {
      if (error === null) take(message.subject, message.data)
    },
  })
}

/** @throws KreError `failed-precondition` when the folder can't be made or written. */
async function makePrivate(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
    await chmod(dataDir, 0o700)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new KreError(
      'failed-precondition',
      `the data folder ${dataDir} can't be used: ${why}. Choose another with --data`,
      {},
      { cause: error },
    )
  }
}

function compileSettings(config: Config, configKey: Buffer): CompileSettings {
  return {
    configKey,
    requestTimeoutMs: config.requestTimeoutMs,
    payloadBytesMax: config.payloadBytesMax,
    entrypointWorkers: config.entrypointWorkers,
    fuse: config.fuse,
    corsOrigins: config.corsOrigins,
    reflection: true,
    memoryBytesMax: config.nodeMemoryBytesMax,
    resolveRunner: (image, src) => {
      const resolved = resolveRunner(image, src)
      return 'runner' in resolved ? resolved.runner : null
    },
  }
}

async function descriptorSetOf(store: Store, digest: string): Promise<Uint8Array> {
  for (const runtime of await store.runtimes.list()) {
    const version = (await store.versions.list(runtime.id)).find(
      (candidate) => candidate.bundleDigest === digest,
    )
    if (version !== undefined) return Buffer.from(version.facts.descriptorSet, 'base64')
  }
  throw new KreError('not-found', `no version uses the bundle ${digest}`)
}

/** Made once per data folder, and again when they are damaged; readable by their owner alone. */
async function readSecrets(dataDir: string): Promise<{ pepper: Buffer; bootstrapToken: string }> {
  const read = async (name: string) => {
    const file = join(dataDir, name)
    const found = (await readFile(file, 'utf8').catch(() => '')).trim()
    if (/^[\w-]{43,}$/.test(found)) return found
    const made = randomBytes(32).toString('base64url')
    await writeFile(file, `${made}\n`, { mode: 0o600 })
    return made
  }
  return {
    pepper: Buffer.from(await read('pepper'), 'base64url'),
    bootstrapToken: await read('token'),
  }
}
