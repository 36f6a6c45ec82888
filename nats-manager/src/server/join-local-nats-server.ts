import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { findServer } from './find-server.ts'
import type { LocalNatsServer } from './local-nats-server.ts'
import { engineAccess, ServerKeys } from './server-keys.ts'

/** A nats-server that another engine of the folder looks after. */
export type JoinedNatsServer = Pick<
  LocalNatsServer,
  'engineAccess' | 'keys' | 'dir' | 'port' | 'pid'
> & { guardPid(): Promise<number | null> }

/**
 * Access to the nats-server of a folder, for an engine that neither starts nor ends it.
 *
 * @throws KreError `unavailable` where no engine has started one.
 */
export async function joinLocalNatsServer(dir: string): Promise<JoinedNatsServer> {
  const file = (name: string) => join(dir, name)
  try {
    const keys = ServerKeys.parse(JSON.parse(await readFile(file('keys.json'), 'utf8')))
    const port = Number(await readFile(file('port'), 'utf8'))
    return {
      port,
      dir,
      keys,
      engineAccess: engineAccess(keys, 'engine', [`127.0.0.1:${port}`]),
      pid: () => findServer(file('nats.pid'), file('nats.conf')),
      guardPid: () => guardPid(file('guard.json')),
    }
  } catch (error) {
    throw new KreError(
      'unavailable',
      `the nats-server of ${dir} can't be joined: the engine that looks after it has not started it yet`,
      {},
      { cause: error },
    )
  }
}

/** Null while no guard is there. */
async function guardPid(file: string): Promise<number | null> {
  const text = await readFile(file, 'utf8').catch(() => null)
  return text === null ? null : (JSON.parse(text) as { pid: number }).pid
}
