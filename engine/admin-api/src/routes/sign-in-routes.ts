import type { IncomingMessage } from 'node:http'
import { KreError } from '@kre/contracts'
import type { AdminApiDeps, FeatureDeps } from '../context.ts'
import type { Route } from '../http/exchange.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { publicAddress } from '../http/public-address.ts'
import { isForeign } from '../http/request-origin.ts'
import { sendJson } from '../http/respond.ts'
import { findAccount } from '../sign-in/accounts.ts'
import { LOGIN_COOKIES, setCookie } from '../sign-in/login-cookie.ts'
import type { Logins } from '../sign-in/logins.ts'
import type { RateLimits } from '../sign-in/rate-limits.ts'
import type { SignInLinks } from '../sign-in/sign-in-links.ts'
import { EmailAddress } from '../sign-in/email-address.ts'
import { LOCAL_OWNER } from '../principal.ts'

export type SignInRoutesDeps = Pick<AdminApiDeps, 'publicUrl'> &
  Pick<FeatureDeps, 'identity' | 'now' | 'logger'> & {
    links: SignInLinks
    logins: Logins
    rateLimits: RateLimits
    ownOrigins: (req: IncomingMessage) => string[]
    /** Network address of the caller, as far as it can be believed. */
    addressOf: (req: IncomingMessage) => string
  }

/** What is left of sign-in when somebody is signed in: links for others, and the way out. */
export function createSignInRoutes(deps: SignInRoutesDeps): Route[] {
  return [loginLinkRoute(deps), logoutRoute(deps)]
}

/** For the development token's owner: a link that signs a browser in, as him or as `?user=`. `?new=1` makes the current one void. */
function loginLinkRoute({ identity, links, publicUrl }: SignInRoutesDeps): Route {
  return {
    method: 'POST',
    path: '/api/v1/auth/login-link',
    access: 'signed-in',
    async handle({ res, url }) {
      const wanted = url.searchParams.get('user') ?? LOCAL_OWNER
      const email = wanted === LOCAL_OWNER ? wanted : (EmailAddress.safeParse(wanted).data ?? '')
      if ((await findAccount(identity.users, email)) === null)
        throw new KreError('not-found', 'there is no such user: krectl user create makes one')
      const { token, expiresAt, reused } = await links.issue(
        email,
        url.searchParams.get('new') === '1',
      )
      sendJson(res, 200, {
        url: publicAddress(publicUrl(), `/signin/${token}`).href,
        expiresAt: expiresAt.toISOString(),
        reused,
      })
    },
  }
}

function logoutRoute({ logins, publicUrl }: SignInRoutesDeps): Route {
  return {
    method: 'POST',
    path: '/api/v1/auth/logout',
    access: 'signed-in',
    async handle({ res, principal }) {
      const { credential } = principal
      if (credential.kind === 'login') await logins.end(credential.loginHash)
      const headers = { 'Set-Cookie': setCookie(LOGIN_COOKIES, '', publicUrl(), 0) }
      sendJson(res, 200, { message: 'Logout success' }, headers)
    },
  }
}

/** @throws HttpProblem 403 when a page of another site made the request: it could sign its visitor in as somebody else. */
export function refuseForeign(deps: SignInRoutesDeps, req: IncomingMessage): void {
  if (!isForeign({ headers: req.headers, ownOrigins: deps.ownOrigins(req) })) return
  throw new HttpProblem(
    'permission-denied',
    { status: 403, wireCode: 'forbidden' },
    'this request was made by a page of another site: open the link itself',
  )
}

export function tooManyAttempts(waitSeconds: number): HttpProblem {
  return new HttpProblem(
    'resource-exhausted',
    {
      status: 429,
      wireCode: 'too_many_attempts',
      headers: { 'Retry-After': String(waitSeconds) },
    },
    `too many attempts came from your address: wait ${waitSeconds} s`,
  )
}
