import { KreError } from '@kre/contracts'
import { readCookie } from '../http/cookies.ts'
import type { Exchange, Route } from '../http/exchange.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { publicAddress } from '../http/public-address.ts'
import { sendRedirect } from '../http/respond.ts'
import { isProviderAway, type IdentityProvider } from '../oidc/identity-provider.ts'
import { OIDC_REQUEST_MS, openRequest, sealRequest } from '../oidc/request-cookie.ts'
import { completeSignIn, userNotAllowed } from '../sign-in/complete-sign-in.ts'
import { EmailAddress } from '../sign-in/email-address.ts'
import { OIDC_COOKIES, setCookie, setLoginCookie } from '../sign-in/login-cookie.ts'
import type { HashToken } from '../sign-in/tokens.ts'
import { tooManyAttempts, type SignInRoutesDeps } from './sign-in-routes.ts'

type OidcRoutesDeps = SignInRoutesDeps & {
  provider: IdentityProvider | null
  hashToken: HashToken
}

/** Of what a provider says, or whoever sends a browser back: enough to know what it means. */
const WORDS_CHARS_MAX = 200
const CALLBACK_PATH = '/api/v1/auth/oidc/callback'
/** The root from there: a proxy may put a path in front. */
const HOME = '../../../../'

/** Sign-in at an identity provider: the way there and the way back. */
export function createOidcRoutes(deps: OidcRoutesDeps): Route[] {
  return [beginRoute(deps), callbackRoute(deps)]
}

function beginRoute(deps: OidcRoutesDeps): Route {
  return {
    method: 'GET',
    path: '/api/v1/auth/oidc',
    access: 'open',
    async handle({ res }) {
      const { publicUrl, now, hashToken } = deps
      const { url, request } = await requireProvider(deps)
        .begin(publicAddress(publicUrl(), CALLBACK_PATH).href)
        .catch((error: unknown) => {
          throw providerAway(error)
        })
      const sealed = sealRequest(request, now(), hashToken)
      sendRedirect(res, url, {
        'Set-Cookie': setCookie(OIDC_COOKIES, sealed, publicUrl(), OIDC_REQUEST_MS),
      })
    },
  }
}

function callbackRoute(deps: OidcRoutesDeps): Route {
  return {
    method: 'GET',
    path: CALLBACK_PATH,
    access: 'open',
    async handle(exchange) {
      const { req, res } = exchange
      const address = await believe(deps, exchange)
      const email = EmailAddress.safeParse(address).data
      if (email === undefined) {
        deps.logger.warn(
          { requestId: exchange.requestId },
          address === null
            ? 'the identity provider vouches for no e-mail address: its ID token or its answer about the user has to have "email" and, true, "email_verified"'
            : 'the identity provider vouches for an e-mail address that is none',
        )
        throw userNotAllowed()
      }
      const proved = { email, method: 'oidc', headers: req.headers } as const
      const { token, login } = await completeSignIn(deps, proved)
      res.appendHeader('Set-Cookie', setLoginCookie(token, login, deps.publicUrl()))
      res.appendHeader('Set-Cookie', setCookie(OIDC_COOKIES, '', deps.publicUrl(), 0))
      sendRedirect(res, HOME, {})
    },
  }
}

/**
 * The address that the provider vouches for, once per sign-in that a browser began.
 *
 * @throws HttpProblem 401, 429; 503 when the provider gives no answer, which is not the fault of who signs in.
 */
async function believe(
  deps: OidcRoutesDeps,
  { req, url, requestId }: Exchange,
): Promise<string | null> {
  const provider = requireProvider(deps)
  try {
    const sealed = OIDC_COOKIES.map((name) => readCookie(req.headers.cookie, name)).find(
      (value) => value !== null,
    )
    const now = deps.now()
    const request = openRequest(sealed ?? '', now, deps.hashToken)
    if (request === null) throw new Error('this browser began no sign-in, or too long ago')
    const ends = new Date(now.getTime() + OIDC_REQUEST_MS)
    const use = await deps.identity.attempts.add(`oidc/${deps.hashToken(request.state)}`, ends, now)
    if (use.count > 1) throw new Error('the sign-in was finished already')
    const callback = publicAddress(deps.publicUrl(), CALLBACK_PATH)
    callback.search = url.search
    return await provider.finish(callback, request)
  } catch (error) {
    if (isProviderAway(error)) throw providerAway(error)
    deps.logger.warn({ requestId, err: reasonOf(error) }, 'a sign-in by OpenID Connect failed')
    const waitSeconds = await deps.rateLimits.wrongCredential(deps.addressOf(req))
    throw waitSeconds > 0 ? tooManyAttempts(waitSeconds) : notBelieved()
  }
}

/** Errors of the library carry whole answers with tokens in them: only their words are kept, and those of the provider. */
function reasonOf(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) }
  const reasons: string[] = []
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
    reasons.push(cause.message)
  const given = ['code', 'error', 'error_description'].flatMap((name) => {
    const value: unknown = Reflect.get(error, name)
    return typeof value === 'string' ? [[name, value.slice(0, WORDS_CHARS_MAX)]] : []
  })
  return { message: error.message, reasons, ...Object.fromEntries(given) }
}

function requireProvider({ provider }: OidcRoutesDeps): IdentityProvider {
  if (provider !== null) return provider
  throw new KreError(
    'unimplemented',
    'this engine knows no identity provider: set KRE_OIDC_ISSUER and KRE_OIDC_CLIENT_ID',
  )
}

function providerAway(cause: unknown): HttpProblem {
  return new HttpProblem(
    'unavailable',
    { status: 503, wireCode: 'unavailable' },
    'the identity provider gives no answer: try again in a moment, or sign in by other means',
    { cause },
  )
}

function notBelieved(): HttpProblem {
  return new HttpProblem(
    'unauthenticated',
    { status: 401, wireCode: 'unauthorized' },
    'the sign-in at the identity provider did not work: begin it again',
  )
}
