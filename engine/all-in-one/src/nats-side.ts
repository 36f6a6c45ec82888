/** The nats-server that an engine works with: its own one, or a server that somebody else runs. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError, SECOND_MS, toKreError, type NatsAccess } from '@kre/contracts'
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

type Connection = Awaited<ReturnType<typeof connectNats>>

/** As every engine has it. */
export type NatsSide = {
  readonly engineAccess: NatsAccess
  /** `host:port`, with commas between several. */
  readonly address: string
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
    return ledExternal(await openExternal(config.target.nats), config)
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
    engineAccess: server.engineAccess,
    address: `127.0.0.1:${server.port}`,
    adopted: server.adopted,
    pids: async () => ({ server: await server.pid(), guard: server.guardPid() }),
    openAccounts: async () => openServerAccounts(server, config.natsCredentialsMs),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** The server of the engine that leads. @throws KreError `unavailable` where there is none. */
export async function joinNats(config: Config): Promise<NatsSide> {
  if (config.target.nats !== null) return externalSide(await openExternal(config.target.nats))
  const server = await joinLocalNatsServer(natsDir(config))
  return {
    engineAccess: server.engineAccess,
    address: `127.0.0.1:${server.port}`,
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

async function openExternal({
  servers,
  keysFile,
  replicas,
}: NonNullable<Config['target']['nats']>): Promise<ExternalNatsServer> {
  return externalNatsServer(await readKeysFile(keysFile), servers, replicas)
}

function externalSide({ engineAccess, servers }: ExternalNatsServer): NatsSide {
  const address = servers.map((server) => server.replace(/^\w+:\/\//, '')).join(',')
  return { engineAccess, address, pids: async () => null }
}

function ledExternal(server: ExternalNatsServer, config: Config): LedNats {
  return {
    ...externalSide(server),
    adopted: true,
    openAccounts: async (nats) => server.openAccounts(nats, config.natsCredentialsMs),
    stop: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function natsDir({ dataDir }: Config): string {
  return join(dataDir, 'nats')
}
