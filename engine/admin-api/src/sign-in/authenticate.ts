import type { IncomingHttpHeaders } from 'node:http'
import { KreError } from '@kre/contracts'
import { readCookie } from '../http/cookies.ts'
import { LOCAL_OWNER, type Principal } from '../principal.ts'
import { LOGIN_COOKIES } from './login-cookie.ts'
import type { Logins } from './logins.ts'
import { equalHashes, type HashToken } from './tokens.ts'

const BOOTSTRAP_TOKEN_CHARS_MIN = 32

/** What a request proves: `none` came without a credential, `wrong` with one that proves nothing. */
export type Authentication =
  | { kind: 'token' | 'cookie'; principal: Principal }
  | { kind: 'none' | 'wrong' }

export type Authenticate = (
  headers: Pick<IncomingHttpHeaders, 'authorization' | 'cookie'>,
) => Promise<Authentication>

/**
 * Makes principals of requests: the development token as `Authorization: Bearer`, or a login's cookie.
 * A request with an Authorization header is judged by that alone.
 *
 * @throws KreError `invalid-argument` when the development token is too short to be a secret.
 */
export function createAuthenticate(deps: {
  logins: Logins
  hashToken: HashToken
  bootstrapToken: string
}): Authenticate {
  if (deps.bootstrapToken.length < BOOTSTRAP_TOKEN_CHARS_MIN)
    throw new KreError(
      'invalid-argument',
      `the development token has ${deps.bootstrapToken.length} characters: use at least ${BOOTSTRAP_TOKEN_CHARS_MIN} random ones`,
    )
  const bootstrapHash = deps.hashToken(deps.bootstrapToken)

  return async function authenticate(headers) {
    if (headers.authorization !== undefined) {
      const token = /^Bearer +(\S+) *$/i.exec(headers.authorization)?.[1]
      if (token === undefined || !equalHashes(deps.hashToken(token), bootstrapHash))
        return { kind: 'wrong' }
      const principal = { email: LOCAL_OWNER, accessLevel: 'ADMIN', loginHash: null } as const
      return { kind: 'token', principal }
    }
    const token = LOGIN_COOKIES.map((name) => readCookie(headers.cookie, name)).find(
      (value) => value !== null,
    )
    if (token === undefined || token === null) return { kind: 'none' }
    const principal = await deps.logins.resume(token)
    return principal === null ? { kind: 'wrong' } : { kind: 'cookie', principal }
  }
}
