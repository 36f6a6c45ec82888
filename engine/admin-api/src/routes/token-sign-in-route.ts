import { z } from 'zod'
import type { Route } from '../http/exchange.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { readFields } from '../http/read-fields.ts'
import { sendJson } from '../http/respond.ts'
import type { Principals } from '../sign-in/principals.ts'
import { tooManyAttempts, type SignInRoutesDeps } from './sign-in-routes.ts'

const TokenSignIn = z.object({ apiToken: z.string().min(1).max(200) })

/**
 * `POST /api/v1/auth/token/signin`: exchanges an API token for a login's token, to be sent as `Authorization: Bearer`.
 * It has the rights of the API token, and ends with it.
 */
export function createTokenSignInRoute(deps: SignInRoutesDeps & { principals: Principals }): Route {
  const { identity, logins, principals, rateLimits, addressOf } = deps
  return {
    method: 'POST',
    path: '/api/v1/auth/token/signin',
    access: 'open',
    async handle({ req, res, signal }) {
      const { apiToken } = await readFields(req, signal, TokenSignIn)
      const principal = await principals.ofApiToken(apiToken)
      const id = principal?.credential.kind === 'api-token' ? principal.credential.tokenId : null
      const stored = id === null ? null : await identity.apiTokens.find(id)
      if (principal === null || stored === null) {
        const waitSeconds = await rateLimits.wrongCredential(addressOf(req))
        throw waitSeconds > 0 ? tooManyAttempts(waitSeconds) : wrongToken()
      }
      const { token } = await logins.begin({
        user: principal.email,
        method: 'api-token',
        userAgent: req.headers['user-agent'] ?? '',
        apiToken: stored,
      })
      sendJson(res, 200, { access_token: token })
    },
  }
}

function wrongToken(): HttpProblem {
  return new HttpProblem(
    'unauthenticated',
    { status: 401, wireCode: 'unauthorized' },
    'the API token is wrong, expired or deleted: make a new one',
  )
}
