/** A nats-server, or a cluster of them, that somebody else runs in operator mode with KRE's keys. */
import type { NatsConnection } from '@nats-io/transport-node'
import type { NatsAccess } from '@kre/contracts'
import type { NatsTlsSource } from '@kre/service-kit/nats-tls'
import { bucketPage } from '../accounts/book-pages.ts'
import { openAccounts, type ServerAccounts, withTls } from './open-server-accounts.ts'
import type { Reloading } from './reload-servers.ts'
import { engineAccess, type ServerKeys } from './server-keys.ts'

export type ExternalNatsServer = {
  readonly servers: readonly string[]
  /** For one engine process, with the certificates that its files hold now. */
  engineAccess(): NatsAccess
  /** @param nats the engine's own connection. */
  openAccounts(nats: NatsConnection, credentialsMs: number): Promise<ServerAccounts>
}

export type ExternalNats = {
  readonly keys: ServerKeys
  readonly servers: readonly string[]
  /** Of what is kept in it. */
  readonly replicas: number
  /** Null = without TLS, unless the servers want it. */
  readonly tls: NatsTlsSource | null
  /** How servers are told to read their certificates again; null = somebody else tells them. */
  readonly reloading: Reloading | null
}

export function externalNatsServer(of: ExternalNats): ExternalNatsServer {
  const { keys, servers, replicas, tls, reloading } = of
  const access = engineAccess(keys, 'engine', servers)
  return {
    servers,
    engineAccess: () => withTls(access, tls),
    openAccounts: async (nats, credentialsMs) => {
      const page = bucketPage(nats, keys.operator, replicas)
      const opened = { keys, servers, page, ownsServer: false, tls, reloading }
      return openAccounts(opened, credentialsMs)
    },
  }
}
