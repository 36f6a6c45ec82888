/** The keys that a nats-server and its engines trust in, which nodes never see. */
import { KreError, type NatsAccess } from '@kre/contracts'
import { z } from 'zod'
import { createCredentials } from '../accounts/create-credentials.ts'
import type { Permissions } from '../keys/jwt.ts'
import { createKeyPair, keyPairFromSeed } from '../keys/nkey.ts'

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

/**
 * The keys of a server that somebody else runs, as JSON.
 *
 * @param name of where the text comes from, for people.
 * @throws KreError `invalid-argument` for anything else; the message shows nothing of it.
 */
export function readServerKeys(text: string, name: string): ServerKeys {
  const parsed = ServerKeys.safeParse(parseJson(text))
  if (!parsed.success)
    throw new KreError(
      'invalid-argument',
      `${name} holds no keys of NATS: it has to be JSON with the seeds "operator", "system" and "engine"`,
    )
  const { operator, system, engine } = parsed.data
  keyPairFromSeed('operator', operator)
  keyPairFromSeed('account', system)
  keyPairFromSeed('account', engine)
  return parsed.data
}

/** What is no JSON is refused by the schema. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
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
  servers: readonly string[],
): NatsAccess {
  return {
    servers: [...servers],
    user: '',
    password: '',
    credentials: createCredentials(keys[account], `kre-${account}`, ALL, null),
  }
}
