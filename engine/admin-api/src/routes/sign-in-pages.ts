import { z } from 'zod'
import type { Route } from '../http/exchange.ts'
import { html, type Html } from '../http/html.ts'
import { readFields } from '../http/read-fields.ts'
import { sendPage, sendRedirect } from '../http/respond.ts'
import { completeSignIn } from '../sign-in/complete-sign-in.ts'
import { setLoginCookie } from '../sign-in/login-cookie.ts'
import { askedNonce } from './mail-sign-in-routes.ts'
import { refuseForeign, type SignInRoutesDeps } from './sign-in-routes.ts'

/** Fields of the page's form; the code is there for browsers that did not ask for the link. */
const Form = z.object({ code: z.string().max(20).optional() })

/** What a sign-in link opens: a page with a button, and what the button does. */
export function createSignInPages(deps: SignInRoutesDeps): Route[] {
  return [showLinkRoute(deps), useLinkRoute(deps)]
}

/** Looking at the link uses nothing up: mail scanners and link previews look, people press the button. */
function showLinkRoute(deps: SignInRoutesDeps): Route {
  return {
    method: 'GET',
    path: '/signin/:token',
    access: 'open',
    async handle({ req, res, params }) {
      const link = await deps.links.find(params['token'] ?? '')
      const needsCode = link !== null && !deps.links.isBoundTo(link, askedNonce(req))
      sendPage(res, 200, html`Sign in to KRE`, form(needsCode))
    },
  }
}

function useLinkRoute(deps: SignInRoutesDeps): Route {
  return {
    method: 'POST',
    path: '/signin/:token',
    access: 'open',
    async handle({ req, res, params, signal }) {
      refuseForeign(deps, req)
      const { code = '' } = await readFields(req, signal, Form)
      const proof = { nonce: askedNonce(req), code: code.replace(/\s/g, '') || null }
      const use = await deps.links.use(params['token'] ?? '', proof)
      if (use.outcome === 'used') {
        const proved = { email: use.user, method: 'link', headers: req.headers } as const
        const { token, login } = await completeSignIn(deps, proved)
        const cookie = setLoginCookie(token, login, deps.publicUrl())
        // To the root, also where a proxy puts a path in front.
        sendRedirect(res, '../', { 'Set-Cookie': cookie })
        return
      }
      const waitSeconds = await deps.rateLimits.wrongCredential(deps.addressOf(req))
      const headers: Record<string, string> =
        waitSeconds > 0 ? { 'Retry-After': String(waitSeconds) } : {}
      if (use.outcome === 'refused')
        sendPage(
          res,
          waitSeconds > 0 ? 429 : 403,
          html`Sign in to KRE`,
          html`<p>That is not the code.</p>
            ${form(true)}`,
          headers,
        )
      else
        sendPage(
          res,
          waitSeconds > 0 ? 429 : 410,
          html`This link does not work any more`,
          html`<p>It was used already, it is older than 15 minutes, or a newer one replaced it.</p>
            <p>Ask for a new one, or run <code>krectl login</code>.</p>`,
          headers,
        )
    },
  }
}

function form(needsCode: boolean): Html {
  const field = html`<p>
    <label
      >Code that the browser shows where you asked for this link:
      <input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required
    /></label>
  </p>`
  return html`<p>This link signs this browser in. It works once.</p>
    <form method="post">${needsCode ? field : []}<button type="submit">Sign in</button></form>`
}
