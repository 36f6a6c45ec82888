import { join } from 'node:path'
import { connectNats } from '@kre/service-kit'
import { openAccountBook } from '../accounts/account-book.ts'
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
  const access = engineAccess(keys, 'system', port)
  const system = await connectNats(access, 'kre-accounts')
  try {
    const accounts = await openNatsAccounts({
      system,
      servers: access.servers,
      keys,
      book: openAccountBook(join(dir, 'accounts.json')),
      credentialsMs,
    })
    return { ...accounts, [Symbol.asyncDispose]: () => system.close() }
  } catch (error) {
    await system.close()
    throw error
  }
}
