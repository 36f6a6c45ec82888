/** A real nats-server with accounts, and the versions `v1` and `v2` of runtime `demo` and `v1` of `other`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { NatsAccess, NatsManager, NatsVersion, Workload } from '@kre/contracts'
import { sampleFacts } from '@kre/contracts/testing'
import { connectNats, createLogger, findNatsServer } from '@kre/service-kit'
import type { NatsConnection } from '@nats-io/transport-node'
import { createNatsManager } from '../jetstream/nats-manager.ts'
import { type LocalNatsServer, startLocalNatsServer } from '../server/local-nats-server.ts'
import { openServerAccounts, type ServerAccounts } from '../server/open-server-accounts.ts'
import { sampleNodes } from './sample-workloads.ts'

export type IsolatedNats = AsyncDisposable & {
  readonly dir: string
  readonly server: LocalNatsServer
  readonly accounts: ServerAccounts
  readonly manager: NatsManager
  /** The engine's connection. */
  readonly engine: NatsConnection
  /** A connection with these credentials, or those of a process of the workload; closed at the end. */
  connect(who: NatsAccess | Workload): Promise<NatsConnection>
}

const CACHE_DIR = resolve(import.meta.dirname, '../../../.kre/cache')
const logger = createLogger('test', { level: 'silent' })

export function sampleVersion(version: string, changes: Partial<NatsVersion> = {}): NatsVersion {
  return {
    version,
    versionId: 'id',
    bundleDigest: 'd',
    facts: sampleFacts(sampleNodes(), version),
    wanted: true,
    ...changes,
  }
}

/** @param credentialsMs how long those of processes are good. */
export async function startIsolatedNats(credentialsMs = 3_600_000): Promise<IsolatedNats> {
  const dir = await mkdtemp(join(tmpdir(), 'kre-accounts-'))
  const binary = await findNatsServer({ cacheDir: CACHE_DIR, path: process.env['PATH'] ?? '' })
  const server = await startLocalNatsServer({ dir, binary, engineAbsenceMs: 60_000, logger })
  const accounts = await openServerAccounts(server, credentialsMs)
  const engine = await connectNats(server.engineAccess, 'engine')
  const manager = await createNatsManager(engine, accounts)
  const connections: NatsConnection[] = []
  await manager.converge('demo', [sampleVersion('v1'), sampleVersion('v2')])
  await manager.converge('other', [sampleVersion('v1')])
  return {
    dir,
    server,
    accounts,
    manager,
    engine,
    async connect(who) {
      const access = 'servers' in who ? who : await accounts.access(who)
      const connection = await connectNats(access, 'test')
      connections.push(connection)
      return connection
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(connections.map((connection) => connection.close()))
      await engine.close()
      await accounts[Symbol.asyncDispose]()
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
