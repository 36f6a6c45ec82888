/** The nats-server that an engine works with: its own one, or a server that somebody else runs. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError, SECOND_MS, toKreError, type NatsAccess } from '@kre/contracts'
import { createNatsTlsSource } from '@kre/service-kit/nats-tls'
import {
  externalNatsServer,
  joinLocalNatsServer,
  openServerAccounts,
  readServerKeys,
  startLocalNatsServer,
  type ExternalNatsServer,
  type ServerAccounts,
  type ServerKeys,
} from '@kre/nats-manager'
import { findNatsServer, type connectNats, type Logger } from '@kre/service-kit'
import type { Config } from './config.ts'
import { untilNatsAnswers } from './until-nats-answers.ts'
import { watchCertificates } from './watch-certificates.ts'

type Connection = Awaited<ReturnType<typeof connectNats>>

/** As every engine has it. */
export type NatsSide = {
  /** With certificates as they are now. */
  engineAccess(): NatsAccess
  /** `host:port`, with commas between several, and `tls://` before each one that is spoken to by TLS. */
  readonly address: string
  /** Until when certificates of the servers are good, in Unix ms; null = they are not spoken to by TLS. */
  certificatesEndAt(): number | null
  /** Null = the processes are somebody else's. */
  pids(): Promise<{ server: number | null; guard: number | null } | null>
}

/** As the engine has it that leads. */
export type LedNats = NatsSide &
  AsyncDisposable & {
    /** Whether it was there before this engine. */
    readonly adopted: boolean
    /** @param nats the engine's own connection. @throws KreError `unavailable`. */
    openAccounts(nats: Connection): Promise<ServerAccounts>
    /** Ends the engine's own server; disposing leaves it to the next engine. */
    stop(): Promise<void>
  }

/** @throws KreError `failed-precondition` for keys that can't be read. */
export async function startNats(
  config: Config,
  logger: Logger,
  say: (text: string) => void,
): Promise<LedNats> {
  if (config.target.nats !== null)
    return ledExternal(await openExternal(config.target.nats, logger, say), config)
  const binary = await findNatsServer({
    cacheDir: config.cacheDir,
    path: config.path,
    onProgress: say,
  })
  const server = await startLocalNatsServer({
    dir: natsDir(config),
    binary,
    // Its clients drain first.
    engineAbsenceMs: config.engineAbsenceMs + config.drainMs + 5 * SECOND_MS,
    logger,
  })
  say(`nats-server is up on port ${server.port}`)
  return {
    ...ownSide(server),
    adopted: server.adopted,
    pids: async () => ({ server: await server.pid(), guard: server.guardPid() }),
    openAccounts: async () => openServerAccounts(server, config.natsCredentialsMs),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** The server of the engine that leads. @throws KreError `unavailable` where there is none. */
export async function joinNats(
  config: Config,
  logger: Logger,
  say: (text: string) => void,
): Promise<NatsSide> {
  if (config.target.nats !== null)
    return externalSide(await openExternal(config.target.nats, logger, say))
  const server = await joinLocalNatsServer(natsDir(config))
  return {
    ...ownSide(server),
    pids: async () => ({ server: await server.pid(), guard: await server.guardPid() }),
  }
}

/** @throws KreError `failed-precondition` for a file that can't be read, `invalid-argument` for what is in it. */
export async function readKeysFile(path: string): Promise<ServerKeys> {
  try {
    return readServerKeys(await readFile(path, 'utf8'), path)
  } catch (error) {
    if (error instanceof KreError) throw error
    throw new KreError(
      'failed-precondition',
      `the keys of NATS can't be read from ${path}: ${toKreError(error).message}`,
      {},
      { cause: error },
    )
  }
}

type External = Pick<NatsSide, 'address' | 'certificatesEndAt'> & { server: ExternalNatsServer }

/** @throws KreError `failed-precondition` for keys or certificates that can't be used, here or at the server. */
async function openExternal(
  { servers, keysFile, replicas, tls: settings, reloadMs }: NonNullable<Config['target']['nats']>,
  logger: Logger,
  say: (text: string) => void,
): Promise<External> {
  const tls =
    settings === null
      ? null
      : createNatsTlsSource(settings, {
          onProblem: (error) =>
            logger.error({ err: error }, 'newer certificates for NATS are not used'),
          // Each server is told to look in that time, and once more.
          overlapMs: 2 * (reloadMs ?? 0),
        })
  const keys = await readKeysFile(keysFile)
  const engineTls = () => tls?.engine() ?? null
  const found = await untilNatsAnswers(servers, engineTls, say)
  if (found.tls !== null)
    logger.info(
      { server: found.address, ...found.tls },
      'NATS is spoken to by TLS; validTo is of its certificate',
    )
  const hosts = servers.map((server) => server.replace(/^\w+:\/\//, ''))
  const scheme = found.tls === null ? '' : 'tls://'
  const onProblem = (error: unknown) =>
    logger.warn({ err: error }, 'NATS servers keep their former certificates for now')
  const reloading = reloadMs === null ? null : { everyMs: reloadMs, onProblem }
  return {
    server: externalNatsServer({ keys, servers, replicas, tls, reloading }),
    address: hosts.map((host) => scheme + host).join(','),
    certificatesEndAt: watchCertificates(servers, engineTls, found),
  }
}

/** Of a server on this computer, which is spoken to without TLS. */
function ownSide(server: { readonly engineAccess: NatsAccess; readonly port: number }) {
  return {
    engineAccess: () => server.engineAccess,
    address: `127.0.0.1:${server.port}`,
    certificatesEndAt: () => null,
  }
}

function externalSide({ server, ...side }: External): NatsSide {
  return { engineAccess: () => server.engineAccess(), ...side, pids: async () => null }
}

function ledExternal(external: External, config: Config): LedNats {
  return {
    ...externalSide(external),
    adopted: true,
    openAccounts: async (nats) => external.server.openAccounts(nats, config.natsCredentialsMs),
    stop: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function natsDir({ dataDir }: Config): string {
  return join(dataDir, 'nats')
}
