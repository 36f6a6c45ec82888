/** A nats-server, or a cluster of them, that somebody else runs in operator mode with KRE's keys. */
import type { NatsConnection } from '@nats-io/transport-node'
import type { NatsAccess } from '@kre/contracts'
import { bucketPage } from '../accounts/book-pages.ts'
import { openAccounts, type ServerAccounts } from './open-server-accounts.ts'
import { engineAccess, type ServerKeys } from './server-keys.ts'

export type ExternalNatsServer = {
  readonly servers: readonly string[]
  /** For one engine process. */
  readonly engineAccess: NatsAccess
  /** @param nats the engine's own connection. */
  openAccounts(nats: NatsConnection, credentialsMs: number): Promise<ServerAccounts>
}

/** @param replicas of what is kept in it. */
export function externalNatsServer(
  keys: ServerKeys,
  servers: readonly string[],
  replicas: number,
): ExternalNatsServer {
  return {
    servers,
    engineAccess: engineAccess(keys, 'engine', servers),
    openAccounts: async (nats, credentialsMs) => {
      const page = bucketPage(nats, keys.operator, replicas)
      return openAccounts({ keys, servers, page, ownsServer: false }, credentialsMs)
    },
  }
}
