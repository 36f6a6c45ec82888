import { setTimeout as sleep } from 'node:timers/promises'
import { type EntrypointLaunch, KreError } from '@kre/contracts/runtime'
import { createJsonLogger, type JsonLogger } from '@kre/service-kit/runner'
import { createContext, type EntrypointContext } from './context.ts'
import { watchEngine } from './engine-heartbeat.ts'
import { type GrpcServer, listenGrpc } from './grpc/grpc-server.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import type { RequestSpans } from './metrics/request-spans.ts'
import type { EntrypointStats } from './requests/request-counts.ts'

export type Entrypoint = AsyncDisposable & {
  /** `host:port` it listens on. */
  readonly address: string
  readonly port: number
  stats(): EntrypointStats
  /** Drains: GOAWAY, no new requests, those in flight are finished within `drainMs`. */
  stop(): Promise<void>
  /** Resolves after the stop, whoever caused it; false = NATS refused the process for good. */
  readonly ended: Promise<boolean>
}

const ANNOUNCE_MS = 2_000
const REPORT_MS = 1_000
/** Kept of `drainMs` for flushing outputs and closing connections. */
const CLOSE_MS = 1_000

/**
 * Serves a version, or the runtime's published one, over gRPC until it is stopped or the engine has been away for too
 * long. It listens when it knows what to serve, so that a newcomer on a shared port fails no request; when NATS does
 * not tell within `holdMs` it listens anyhow and says so to callers.
 *
 * @throws KreError `failed-precondition` when the address can't be listened on, `unavailable` when it was stopped
 * before it listened.
 */
export async function startEntrypoint(
  launch: EntrypointLaunch,
  options: { limits?: Partial<Limits>; logger?: JsonLogger } = {},
): Promise<Entrypoint> {
  const logger = options.logger ?? createJsonLogger('entrypoint')
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits }
  const spans = await openSpans(launch)
  const context = createContext(launch, limits, logger, spans)
  const { self, link, versions, broker, calls } = context
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<boolean>()
  let server: GrpcServer | null = null
  let stopping: Promise<void> | null = null

  const announce = () => {
    const version = versions.current()
    if (version !== null) context.announcer.announce(version)
  }
  const report = () => {
    if (link.isUp()) versions.sweep()
    context.report()
  }
  const timers = [setInterval(report, REPORT_MS), setInterval(announce, ANNOUNCE_MS)]
  const unwatchEngine = watchEngine(link, launch.engineAbsenceMs, () => {
    logger.warn({ engineAbsenceMs: launch.engineAbsenceMs }, 'the engine is away: draining')
    void stop(true)
  })

  const end = async (isWanted: boolean) => {
    self.isDraining = true
    announce()
    await drain(context, server, launch.drainMs - CLOSE_MS)
    for (const timer of timers) clearInterval(timer)
    unwatchEngine()
    calls.wheel.stop()
    versions.stop()
    context.report()
    context.metrics.stop()
    context.examples.stop()
    await Promise.all([context.outputs.flush(CLOSE_MS / 2), spans?.close(CLOSE_MS / 2)])
    await link.close()
    logger.info('stopped')
    resolveEnded(isWanted)
  }
  const stop = (isWanted: boolean) => (stopping ??= end(isWanted))

  connect(context, logger, announce, () => void stop(false))
  await Promise.race([versions.known, ended, sleep(limits.holdMs, undefined, { ref: false })])
  if (stopping !== null) {
    await ended
    throw new KreError('unavailable', 'the entrypoint was stopped before it listened')
  }
  try {
    server = await listenGrpc({
      ...launch.listen,
      limits,
      ...context.door,
      onRefused: (reason) => context.metrics.refused(reason),
    })
  } catch (error) {
    await stop(false)
    throw error
  }
  const { address, port } = server
  self.address = address
  announce()
  logger.info({ address, version: launch.version }, 'listening')
  return {
    address,
    port,
    ended,
    stats: () => ({
      ...broker.counts,
      inFlight: broker.inFlight(),
      held: broker.held(),
      bytes: calls.budget.held(),
      connections: server?.connections() ?? 0,
      receiving: calls.receiving,
    }),
    stop: () => stop(true),
    [Symbol.asyncDispose]: () => stop(true),
  }
}

/** Their code is loaded only where they are wanted. */
async function openSpans(launch: EntrypointLaunch): Promise<RequestSpans | null> {
  if (launch.tracing === undefined) return null
  const { createRequestSpans } = await import('./metrics/request-spans.ts')
  return createRequestSpans(launch, launch.tracing)
}

/** Starts connecting and lets the collaborators follow the connection. */
function connect(
  { self, link, versions, broker, health, outputs }: EntrypointContext,
  logger: JsonLogger,
  announce: () => void,
  onLost: () => void,
): void {
  const lost = (reason: unknown) => {
    logger.error({ err: reason }, 'NATS ended the connection for good')
    onLost()
  }
  const connected = link.connect({
    onUp() {
      logger.info('connected to NATS')
      versions.reconnected()
      announce()
      broker.reconnected()
      health.changed()
    },
    onDown() {
      logger.warn('lost the connection to NATS')
      broker.disconnected()
      health.changed()
    },
    onFailed: (error) => logger.warn({ err: error }, 'no connection to NATS yet'),
    onStoresBack: () => versions.storesBack(),
    onLost: lost,
    onError: (error) => logger.warn({ err: error }, 'NATS refuses something'),
  })
  connected.then((nats) => {
    if (nats === null || self.isDraining) return
    outputs.connect(nats)
    versions.connect(nats)
  }, lost)
}

/** Lets requests in flight come to their end; those that do not within `withinMs` fail. */
async function drain(
  { broker, door, health }: EntrypointContext,
  server: GrpcServer | null,
  withinMs: number,
): Promise<void> {
  const end = performance.now() + withinMs
  health.changed()
  health.stop()
  door.drain()
  server?.drain()
  while (broker.inFlight() > 0 && performance.now() < end) await sleep(10)
  broker.failAll()
  if (server === null) return
  // Connections close by themselves once their last answer is written.
  const closeEnd = performance.now() + CLOSE_MS / 2
  while (server.connections() > 0 && performance.now() < closeEnd) await sleep(10)
  server.close()
}
