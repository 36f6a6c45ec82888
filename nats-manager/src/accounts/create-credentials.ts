import type { NatsCredentials } from '@kre/contracts'
import { type Permissions, userJwt } from '../keys/jwt.ts'
import { createKeyPair, keyPairFromSeed } from '../keys/nkey.ts'

/**
 * Makes a user of an account, for one process.
 *
 * @param accountSeed of the account, which signs.
 * @param expiresUnixMs null = never.
 */
export function createCredentials(
  accountSeed: string,
  name: string,
  permissions: Permissions,
  expiresUnixMs: number | null,
): NatsCredentials {
  const user = createKeyPair('user')
  const account = keyPairFromSeed('account', accountSeed)
  return {
    jwt: userJwt(account, user.publicKey, name, permissions, expiresUnixMs),
    seed: user.seed,
    expiresUnixMs,
  }
}
