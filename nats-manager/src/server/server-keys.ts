/** The keys that a laptop's nats-server and its engine trust in, in a file of mode 0600 that nodes never see. */
import type { NatsAccess } from '@kre/contracts'
import { z } from 'zod'
import { createCredentials } from '../accounts/create-credentials.ts'
import type { Permissions } from '../keys/jwt.ts'
import { createKeyPair } from '../keys/nkey.ts'

/** Seeds. Secret. */
export const ServerKeys = z.object({
  /** Signs accounts. */
  operator: z.string(),
  /** Its users tell the server of accounts. */
  system: z.string(),
  /** Has the streams and buckets. */
  engine: z.string(),
})
export type ServerKeys = z.infer<typeof ServerKeys>

export function createServerKeys(): ServerKeys {
  return {
    operator: createKeyPair('operator').seed,
    system: createKeyPair('account').seed,
    engine: createKeyPair('account').seed,
  }
}

const ALL: Permissions = { pub: {}, sub: {} }

/**
 * For one engine process: a user of its own without a limit, whose key is never written down.
 *
 * @param account whose streams it manages, or by which it manages accounts.
 */
export function engineAccess(
  keys: ServerKeys,
  account: 'engine' | 'system',
  port: number,
): NatsAccess {
  return {
    servers: [`127.0.0.1:${port}`],
    user: '',
    password: '',
    credentials: createCredentials(keys[account], `kre-${account}`, ALL, null),
  }
}
