import { z } from 'zod'
import type { IncomingMessage } from 'node:http'
import { readCookie } from '../http/cookies.ts'
import type { Route } from '../http/exchange.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { readFields } from '../http/read-fields.ts'
import { sendJson } from '../http/respond.ts'
import type { Mailer } from '../mail/mailer.ts'
import type { WorkQueue } from '../mail/work-queue.ts'
import { completeSignIn } from '../sign-in/complete-sign-in.ts'
import { EmailAddress } from '../sign-in/email-address.ts'
import { ASKED_COOKIES, setCookie, setLoginCookie } from '../sign-in/login-cookie.ts'
import { requestLink } from '../sign-in/request-link.ts'
import { SIGN_IN_LINK_MS } from '../sign-in/sign-in-links.ts'
import { refuseForeign, tooManyAttempts, type SignInRoutesDeps } from './sign-in-routes.ts'

type MailSignInRoutesDeps = SignInRoutesDeps & { queue: WorkQueue; mailer: Mailer | null }

const SignIn = z.object({ email: EmailAddress })
/** `code`: the one that the browser which asked shows, for any other browser. */
const Verification = z.object({
  verificationCode: z.string().max(100),
  code: z.string().max(20).optional(),
})

/** The header that carries the code for another browser: the body is KRE's own. */
const CODE_HEADER = 'X-Kre-Sign-In-Code'

/** Sign-in by mail in two steps, as KRE's pages call them. */
export function createMailSignInRoutes(deps: MailSignInRoutesDeps): Route[] {
  return [askRoute(deps), verifyRoute(deps)]
}

function askRoute(deps: MailSignInRoutesDeps): Route {
  return {
    method: 'POST',
    path: '/api/v1/auth/signin',
    access: 'open',
    async handle({ req, res, signal }) {
      refuseForeign(deps, req)
      const { email } = await readFields(req, signal, SignIn)
      const { mailer } = deps
      if (mailer === null) throw noMail()
      const waitSeconds = await deps.rateLimits.mail(email, deps.addressOf(req))
      if (waitSeconds > 0) throw tooManyAttempts(waitSeconds)
      const asked = requestLink({ ...deps, mailer }, { email, nonce: askedNonce(req) })
      const cookie = setCookie(ASKED_COOKIES, asked.nonce, deps.publicUrl(), SIGN_IN_LINK_MS)
      const headers = { 'Set-Cookie': cookie, [CODE_HEADER]: asked.code }
      sendJson(res, 200, { message: 'Email sent to the user.' }, headers)
    },
  }
}

function verifyRoute(deps: MailSignInRoutesDeps): Route {
  return {
    method: 'POST',
    path: '/api/v1/auth/signin/verify',
    access: 'open',
    async handle({ req, res, signal }) {
      refuseForeign(deps, req)
      const { verificationCode, code = null } = await readFields(req, signal, Verification)
      const use = await deps.links.use(verificationCode, { nonce: askedNonce(req), code })
      if (use.outcome !== 'used') {
        const waitSeconds = await deps.rateLimits.wrongCredential(deps.addressOf(req))
        throw waitSeconds > 0 ? tooManyAttempts(waitSeconds) : wrongCode()
      }
      const proved = { email: use.user, method: 'link', headers: req.headers } as const
      const { token, login } = await completeSignIn(deps, proved)
      const cookie = setLoginCookie(token, login, deps.publicUrl())
      sendJson(res, 200, { message: 'Login success' }, { 'Set-Cookie': cookie })
    },
  }
}

/** By which the browser shows that it asked; null = it did not. */
export function askedNonce(req: IncomingMessage): string | null {
  const values = ASKED_COOKIES.map((name) => readCookie(req.headers.cookie, name))
  return values.find((value) => value !== null) ?? null
}

function wrongCode(): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 400, wireCode: 'invalid_verification_code' },
    'the link was used already, is older than 15 minutes, or belongs to another browser: type the code that browser shows, or ask for a new link',
  )
}

function noMail(): HttpProblem {
  return new HttpProblem(
    'unimplemented',
    { status: 501, wireCode: 'mail_not_configured' },
    'this engine sends no mail: set KRE_SMTP_HOST and KRE_SMTP_SENDER, or use krectl login',
  )
}
