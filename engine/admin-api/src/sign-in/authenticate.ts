import type { IncomingHttpHeaders } from 'node:http'
import { KreError } from '@kre/contracts'
import { readCookie } from '../http/cookies.ts'
import type { Principal } from '../principal.ts'
import { API_TOKEN_PREFIX } from '../tokens/api-token-text.ts'
import { LOGIN_COOKIES } from './login-cookie.ts'
import type { Principals } from './principals.ts'
import { equalHashes, type HashToken } from './tokens.ts'

const BOOTSTRAP_TOKEN_CHARS_MIN = 32

/** What a request proves: `none` came without a credential; a wrong token and a login that is over prove nothing. */
export type Authentication =
  | { kind: 'token' | 'cookie'; principal: Principal }
  | { kind: 'none' | 'wrong-token' | 'no-login' }

export type Authenticate = (
  headers: Pick<IncomingHttpHeaders, 'authorization' | 'cookie'>,
) => Promise<Authentication>

/**
 * Makes principals of requests: the development token, an API token or a login's token as `Authorization: Bearer`,
 * or a login's cookie. A request with an Authorization header is judged by that alone.
 *
 * @throws KreError `invalid-argument` when the development token is too short to be a secret.
 */
export function createAuthenticate(deps: {
  principals: Principals
  hashToken: HashToken
  bootstrapToken: string
}): Authenticate {
  const { principals, hashToken, bootstrapToken } = deps
  if (bootstrapToken.length < BOOTSTRAP_TOKEN_CHARS_MIN)
    throw new KreError(
      'invalid-argument',
      `the development token has ${bootstrapToken.length} characters: use at least ${BOOTSTRAP_TOKEN_CHARS_MIN} random ones`,
    )
  const bootstrapHash = hashToken(bootstrapToken)

  function ofBearer(token: string): Promise<Principal | null> | Principal {
    if (equalHashes(hashToken(token), bootstrapHash)) return principals.ofOwner()
    return token.startsWith(API_TOKEN_PREFIX)
      ? principals.ofApiToken(token)
      : principals.ofLogin(token)
  }

  return async function authenticate(headers) {
    if (!isByCookie(headers)) {
      const token = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
      const principal = token === undefined ? null : await ofBearer(token)
      return principal === null ? { kind: 'wrong-token' } : { kind: 'token', principal }
    }
    const token = loginToken(headers.cookie)
    if (token === null) return { kind: 'none' }
    const principal = await principals.ofLogin(token)
    return principal === null ? { kind: 'no-login' } : { kind: 'cookie', principal }
  }
}

/** Whether a request that was let in proved itself by what a browser sends of itself. */
export function isByCookie({ authorization }: Pick<IncomingHttpHeaders, 'authorization'>): boolean {
  return authorization === undefined
}

/** The login's token in a `Cookie` header; null when there is none. */
export function loginToken(cookie: string | undefined): string | null {
  return (
    LOGIN_COOKIES.map((name) => readCookie(cookie, name)).find((value) => value !== null) ?? null
  )
}
