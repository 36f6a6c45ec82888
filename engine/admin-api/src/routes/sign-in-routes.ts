import type { IncomingMessage } from 'node:http'
import type { AdminApiDeps } from '../context.ts'
import type { Route } from '../http/exchange.ts'
import { html } from '../http/html.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { isForeign } from '../http/request-origin.ts'
import { sendJson, sendPage, sendRedirect } from '../http/respond.ts'
import type { FailedAttempts } from '../sign-in/failed-attempts.ts'
import { loginCookie, noLoginCookie } from '../sign-in/login-cookie.ts'
import type { Logins } from '../sign-in/logins.ts'
import type { SignInLinks } from '../sign-in/sign-in-links.ts'

type SignInRoutesDeps = Pick<AdminApiDeps, 'publicUrl'> & {
  links: SignInLinks
  logins: Logins
  failedAttempts: FailedAttempts
  ownOrigins: (req: IncomingMessage) => string[]
}

/** The way from `krectl login` to a login's cookie, and out again. */
export function createSignInRoutes(deps: SignInRoutesDeps): Route[] {
  return [loginLinkRoute(deps), showLinkRoute(), useLinkRoute(deps), logoutRoute(deps)]
}

/** For the token's owner: a link that signs a browser in. `?new=1` makes the current one void. */
function loginLinkRoute({ links, publicUrl }: SignInRoutesDeps): Route {
  return {
    method: 'POST',
    path: '/api/v1/auth/login-link',
    access: 'token',
    async handle({ res, url }) {
      const { token, expiresAt, reused } = await links.issue(url.searchParams.get('new') === '1')
      sendJson(res, 200, {
        url: new URL(`/signin/${token}`, publicUrl()).href,
        expiresAt: expiresAt.toISOString(),
        reused,
      })
    },
  }
}

/** Looking at the link uses nothing up: mail scanners and link previews look, people press the button. */
function showLinkRoute(): Route {
  return {
    method: 'GET',
    path: '/signin/:token',
    access: 'open',
    async handle({ res }) {
      sendPage(
        res,
        200,
        html`Sign in to KRE`,
        html`<p>This link signs this browser in as the owner of the local engine. It works once.</p>
          <form method="post"><button type="submit">Sign in</button></form>`,
      )
    },
  }
}

function useLinkRoute({
  links,
  logins,
  failedAttempts,
  publicUrl,
  ownOrigins,
}: SignInRoutesDeps): Route {
  return {
    method: 'POST',
    path: '/signin/:token',
    access: 'open',
    async handle({ req, res, params }) {
      if (isForeign({ headers: req.headers, ownOrigins: ownOrigins(req) })) throw foreign()
      const user = await links.consume(params['token'] ?? '')
      if (user === null) {
        const waitSeconds = failedAttempts.add(req.socket.remoteAddress ?? '')
        sendPage(
          res,
          waitSeconds > 0 ? 429 : 410,
          html`This link does not work any more`,
          html`<p>It was used already, it is older than 15 minutes, or a newer one replaced it.</p>
            <p>Run <code>krectl login</code> for a new one.</p>`,
          waitSeconds > 0 ? { 'Retry-After': String(waitSeconds) } : {},
        )
        return
      }
      const token = await logins.begin(user)
      sendRedirect(res, '/', { 'Set-Cookie': loginCookie(token, publicUrl()) })
    },
  }
}

function logoutRoute({ logins, publicUrl }: SignInRoutesDeps): Route {
  return {
    method: 'POST',
    path: '/api/v1/auth/logout',
    access: 'signed-in',
    async handle({ res, principal }) {
      if (principal.loginHash !== null) await logins.end(principal.loginHash)
      const headers = { 'Set-Cookie': noLoginCookie(publicUrl()) }
      sendJson(res, 200, { message: 'Logout success' }, headers)
    },
  }
}

function foreign(): HttpProblem {
  return new HttpProblem(
    'permission-denied',
    { status: 403, wireCode: 'forbidden' },
    'this request was made by a page of another site: open the link itself',
  )
}
