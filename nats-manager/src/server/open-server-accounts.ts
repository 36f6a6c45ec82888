import { join } from 'node:path'
import { connectNats } from '@kre/service-kit'
import { type BookPage, openAccountBook } from '../accounts/account-book.ts'
import { filePage } from '../accounts/book-pages.ts'
import { type NatsAccounts, openNatsAccounts } from '../accounts/nats-accounts.ts'
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
  return openAccounts({ ...own, ownsServer: true }, credentialsMs)
}

/** @param of.page where the keys of accounts are kept. @throws KreError `unavailable`. */
export async function openAccounts(
  of: {
    readonly keys: ServerKeys
    readonly servers: readonly string[]
    readonly page: BookPage
    /** Whether the server has no accounts but ours. */
    readonly ownsServer: boolean
  },
  credentialsMs: number,
): Promise<ServerAccounts> {
  const { keys, servers, page, ownsServer } = of
  const system = await connectNats(engineAccess(keys, 'system', servers), 'kre-accounts')
  try {
    const accounts = await openNatsAccounts({
      system,
      servers,
      keys,
      book: openAccountBook(page),
      ownsServer,
      credentialsMs,
    })
    return { ...accounts, [Symbol.asyncDispose]: () => system.close() }
  } catch (error) {
    await system.close()
    throw error
  }
}
