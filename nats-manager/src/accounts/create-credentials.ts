import type { NatsCredentials } from '@kre/contracts'
import { type Permissions, userJwt } from '../keys/jwt.ts'
import { createKeyPair, keyPairFromSeed } from '../keys/nkey.ts'

/**
 * Makes a user of an account, for one process.
 *
 * @param accountSeed of the account, which signs.
 * @param expires null = never; else by the clock of who uses them, and by that of the server, which refuses them then.
 */
export function createCredentials(
  accountSeed: string,
  name: string,
  permissions: Permissions,
  expires: { readonly expiresUnixMs: number; readonly serverExpiresUnixMs: number } | null,
): NatsCredentials {
  const user = createKeyPair('user')
  const account = keyPairFromSeed('account', accountSeed)
  return {
    jwt: userJwt(account, user.publicKey, name, permissions, expires?.serverExpiresUnixMs ?? null),
    seed: user.seed,
    expiresUnixMs: expires?.expiresUnixMs ?? null,
  }
}
