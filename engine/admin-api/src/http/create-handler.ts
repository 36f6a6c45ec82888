import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { KreError, toKreError } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { accessTo, authorizeOperation } from '../access/operations.ts'
import type { Around } from '../audit/audit-routes.ts'
import type { Principal } from '../principal.ts'
import type { Authenticate } from '../sign-in/authenticate.ts'
import type { RateLimits } from '../sign-in/rate-limits.ts'
import { isAllowedHost } from './allowed-host.ts'
import type { Exchange, Route } from './exchange.ts'
import { HttpProblem } from './http-problem.ts'
import { lingerAfter } from './linger.ts'
import { matchRoute } from './match-route.ts'
import { isProvablyOwn } from './request-origin.ts'
import { requestedMethod } from './requested-method.ts'
import { sendProblem, sendRedirect } from './respond.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

export type HandlerDeps = {
  routes: readonly Route[]
  /** Runs each route, its authorisation included. */
  around: Around
  authenticate: Authenticate
  rateLimits: RateLimits
  logger: Logger
  publicUrl: () => string
  /** Where a browser that opens `/` is sent to; null = nowhere. */
  home: string | null
  ownOrigins: (req: IncomingMessage) => string[]
  /** Network address of the caller, as far as it can be believed. */
  addressOf: (req: IncomingMessage) => string
}

/** What the server adds to a request: its own end, and whether the client waits with the body. */
export type HandlerOptions = { signal?: AbortSignal; expectsContinue?: boolean }
export type Handler = (req: IncomingMessage, res: ServerResponse, options?: HandlerOptions) => void

/**
 * Every request takes the same way: Host, credential, route, origin, then the route's own work.
 * Without a credential even an unknown path answers 401, so nobody can feel the API out.
 *
 * @throws KreError `internal` for a route whose row in the table of operations is missing or says something else.
 */
export function createHandler(deps: HandlerDeps): Handler {
  for (const route of deps.routes)
    if ((accessTo(nameOf(route)) === 'open') !== (route.access === 'open'))
      throw new KreError('internal', `"${nameOf(route)}" is open in one place and not in the other`)
  return function handle(req, res, options = {}) {
    const requestId = randomUUID()
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) res.setHeader(name, value)
    res.setHeader('X-Request-Id', requestId)
    lingerAfter(req, res)
    const gone = new AbortController()
    res.once('close', () => gone.abort())
    const signal =
      options.signal === undefined ? gone.signal : AbortSignal.any([gone.signal, options.signal])
    const exchange = {
      req,
      res,
      requestId,
      signal,
      sendContinue: () => void (options.expectsContinue === true && res.writeContinue()),
    }
    route(deps, exchange).catch((thrown: unknown) => {
      const error = toKreError(thrown)
      // Nobody is there to hear of it.
      if (gone.signal.aborted) return
      if (error.code === 'internal' || error.code === 'unavailable')
        deps.logger.error(
          { requestId, method: req.method, err: error.cause ?? error },
          'request failed',
        )
      sendProblem(req, res, error, requestId)
    })
  }
}

/** The route's name in the table of operations. */
function nameOf({ method, path }: Route): string {
  return `${method} ${path}`
}

type Arrival = Omit<Exchange, 'url' | 'params'>

async function route(deps: HandlerDeps, arrival: Arrival): Promise<void> {
  const { req } = arrival
  const publicUrl = deps.publicUrl()
  if (!isAllowedHost(req.headers.host, publicUrl, req.socket.localAddress)) throw misdirected()
  const url = requestUrl(req)
  // People get the admin UI; programs keep the answers they know, and strangers among them learn nothing.
  if (deps.home !== null && isVisit(req, url)) {
    sendRedirect(arrival.res, deps.home, {})
    return
  }
  const match = matchRoute(deps.routes, requestedMethod(req, url.pathname), url.pathname)
  if (match.kind === 'found' && match.route.access === 'open') {
    const { route: open, params } = match
    const exchange = { ...arrival, url, params }
    await deps.around(nameOf(open), exchange, null, () => open.handle(exchange))
    return
  }
  const principal = await requirePrincipal(deps, req, req.method ?? '', url)
  if (match.kind === 'unknown') throw new KreError('not-found', 'there is nothing at this address')
  if (match.kind === 'wrong-method') throw wrongMethod(match.allow)
  const exchange = { ...arrival, url, params: match.params, principal }
  const { route: found } = match
  const name = nameOf(found)
  await deps.around(name, exchange, principal, async () => {
    authorizeOperation(principal, name, exchange.params)
    await found.handle(exchange)
  })
}

/** Whether somebody opens the front page in a browser. */
function isVisit({ method, headers }: IncomingMessage, url: URL): boolean {
  return method === 'GET' && url.pathname === '/' && (headers.accept ?? '').includes('text/html')
}

/** @throws HttpProblem 401, 429 after too many wrong credentials, 403 when a foreign page may have made the request. */
async function requirePrincipal(
  deps: HandlerDeps,
  req: IncomingMessage,
  method: string,
  url: URL,
): Promise<Principal> {
  const authentication = await deps.authenticate(req.headers)
  switch (authentication.kind) {
    case 'none':
      throw unauthorized()
    case 'wrong-token':
    case 'no-login': {
      const waitSeconds = await deps.rateLimits.wrongCredential(deps.addressOf(req))
      if (waitSeconds > 0) throw tooManyAttempts(waitSeconds)
      throw authentication.kind === 'no-login' ? loginOver() : unauthorized()
    }
    case 'token':
      return authentication.principal
    case 'cookie': {
      // Pages that only show something may be opened from anywhere: nobody else can read the answer.
      const onlyShows = (method === 'GET' || method === 'HEAD') && url.pathname !== '/graphql'
      const head = { method, headers: req.headers, ownOrigins: deps.ownOrigins(req) }
      if (!onlyShows && !isProvablyOwn(head)) throw foreign()
      return authentication.principal
    }
  }
}

/** The path and the query; the host in it is ours, whatever the client sent. */
function requestUrl(req: IncomingMessage): URL {
  const target = req.url ?? ''
  const url = target.startsWith('/') ? URL.parse(`http://localhost${target}`) : null
  if (url !== null) return url
  throw new KreError('invalid-argument', 'the request target is not a path')
}

function misdirected(): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 421, wireCode: 'misdirected_request' },
    'this API does not answer under this host name: use localhost or 127.0.0.1',
  )
}

function unauthorized(): HttpProblem {
  return new HttpProblem(
    'unauthenticated',
    { status: 401, wireCode: 'unauthorized', headers: { 'WWW-Authenticate': 'Bearer' } },
    'sign in first: run krectl login, or send a token as Authorization: Bearer',
  )
}

/** In KRE's code for it, by which pages know that it is time for the login form. */
function loginOver(): HttpProblem {
  return new HttpProblem(
    'unauthenticated',
    { status: 401, wireCode: 'invalid_session', headers: { 'WWW-Authenticate': 'Bearer' } },
    'your login is over: sign in again',
  )
}

function tooManyAttempts(waitSeconds: number): HttpProblem {
  return new HttpProblem(
    'resource-exhausted',
    {
      status: 429,
      wireCode: 'too_many_attempts',
      headers: { 'Retry-After': String(waitSeconds) },
    },
    `too many wrong credentials came from your address: wait ${waitSeconds} s`,
  )
}

function foreign(): HttpProblem {
  return new HttpProblem(
    'permission-denied',
    { status: 403, wireCode: 'forbidden' },
    'the request may come from a page of another site: send it from the admin UI, as JSON, or with the header x-kre-csrf: 1',
  )
}

function wrongMethod(allow: string): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 405, wireCode: 'method_not_allowed', headers: { Allow: allow } },
    `this address takes ${allow} only`,
  )
}
