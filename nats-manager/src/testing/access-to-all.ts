import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NatsAccess } from '@kre/contracts'
import type { BookedRuntime } from '../accounts/account-book.ts'
import { createCredentials } from '../accounts/create-credentials.ts'
import { joinLocalNatsServer } from '../server/join-local-nats-server.ts'

/** Access without a limit to each account of a server's folder: what its keys are good for, and nobody else has. */
export async function accessToAll(dir: string): Promise<NatsAccess[]> {
  const { engineAccess } = await joinLocalNatsServer(dir)
  const book = JSON.parse(await readFile(join(dir, 'accounts.json'), 'utf8')) as {
    runtimes: Record<string, BookedRuntime>
  }
  const accounts = Object.values(book.runtimes).flatMap(({ account, versions }) => [
    account,
    ...Object.values(versions),
  ])
  const all = { pub: {}, sub: {} }
  return [
    engineAccess,
    ...accounts.map(({ seed }) => ({
      ...engineAccess,
      credentials: createCredentials(seed, 'all', all, null),
    })),
  ]
}
