import { join } from 'node:path'
import type { NatsAccess } from '@kre/contracts'
import { connectNats } from '@kre/service-kit'
import type { NatsTlsSource } from '@kre/service-kit/nats-tls'
import { type BookPage, openAccountBook } from '../accounts/account-book.ts'
import { filePage } from '../accounts/book-pages.ts'
import { type NatsAccounts, openNatsAccounts } from '../accounts/nats-accounts.ts'
import { type Reloading, startReloading } from './reload-servers.ts'
import { engineAccess, type ServerKeys } from './server-keys.ts'

export type ServerAccounts = NatsAccounts & AsyncDisposable

/**
 * Opens the accounts of a laptop's nats-server, over a connection of its system account.
 *
 * @param credentialsMs how long the credentials of processes are good.
 * @throws KreError `unavailable`.
 */
export async function openServerAccounts(
  server: { readonly dir: string; readonly keys: ServerKeys; readonly port: number },
  credentialsMs: number,
): Promise<ServerAccounts> {
  const { dir, keys, port } = server
  const own = { keys, servers: [`127.0.0.1:${port}`], page: filePage(join(dir, 'accounts.json')) }
  return openAccounts({ ...own, ownsServer: true, tls: null, reloading: null }, credentialsMs)
}

/** @param of.page where the keys of accounts are kept. @throws KreError `unavailable`. */
export async function openAccounts(
  of: {
    readonly keys: ServerKeys
    readonly servers: readonly string[]
    readonly page: BookPage
    /** Whether the server has no accounts but ours. */
    readonly ownsServer: boolean
    /** Null = without TLS, unless the server wants it. */
    readonly tls: NatsTlsSource | null
    /** How servers are told to read their certificates again; null = somebody else tells them. */
    readonly reloading: Reloading | null
  },
  credentialsMs: number,
): Promise<ServerAccounts> {
  const { keys, servers, page, ownsServer, tls, reloading } = of
  const access = engineAccess(keys, 'system', servers)
  const system = await connectNats(() => withTls(access, tls), 'kre-accounts')
  const authorities = () => tls?.digest() ?? ''
  const stopReloading =
    reloading === null ? () => undefined : startReloading(system, reloading, authorities)
  const close = async () => {
    stopReloading()
    await system.close()
  }
  try {
    const accounts = await openNatsAccounts({
      system,
      servers,
      keys,
      book: openAccountBook(page),
      ownsServer,
      credentialsMs,
      tls,
    })
    return { ...accounts, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The engine's access, with the engine's certificates as they are now. */
export function withTls(access: NatsAccess, tls: NatsTlsSource | null): NatsAccess {
  return tls === null ? access : { ...access, tls: tls.engine() }
}
