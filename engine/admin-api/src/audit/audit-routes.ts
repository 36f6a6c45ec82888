import type { ServerResponse } from 'node:http'
import { KreError, MINUTE_MS, toKreError, type ErrorCode } from '@kre/contracts'
import type { Exchange } from '../http/exchange.ts'
import { HttpProblem } from '../http/http-problem.ts'
import type { Principal } from '../principal.ts'
import type { ClientAddress } from './client-address.ts'
import { holdEnd } from './hold-end.ts'
import { WITHOUT_ROW, type AuditedOperation } from './operations.ts'
import { perform, recordRefusal, type Attempt, type PerformDeps } from './perform.ts'
import { inRequestScope, requestScope } from './request-scope.ts'
import { ROUTE_OPERATIONS, ROUTES_WITHOUT_RECORD } from './route-operations.ts'

/** Refused attempts of people who proved nothing: more in a minute are counted, so that they fill no disk. */
const ANONYMOUS_REFUSALS_MAX = 100

/** Runs what a route does, its authorisation included, with what belongs before and after it. */
export type Around = (
  /** The route's name in the table of operations. */
  name: string,
  exchange: Omit<Exchange, 'sendContinue'>,
  principal: Principal | null,
  run: () => Promise<void>,
) => Promise<void>

/** Gives every route that changes something its record, and all of them their origin. */
export function createAroundRoutes(
  deps: PerformDeps & { clientAddress: ClientAddress; now: () => Date },
): Around {
  const refusals = createAllowance(deps.now)

  return function around(name, exchange, principal, run) {
    const { req, requestId } = exchange
    const origin = {
      address: deps.clientAddress({
        remote: req.socket.remoteAddress,
        forwardedFor: req.headers['x-forwarded-for'],
      }),
      userAgent: req.headers['user-agent'] ?? '',
      requestId,
    }
    return inRequestScope(origin, () => {
      const operation = operationOf(name, principal)
      if (operation === null) return run()
      const attempt = { name, operation, input: inputOf(exchange), principal, requestId }
      return principal === null || operation.onlyRefusals === true
        ? refusable(attempt, exchange.res, run)
        : changing(attempt, exchange.res, run)
    })
  }

  async function changing(attempt: Attempt, res: ServerResponse, run: () => Promise<void>) {
    // Whoever reads the answer finds the record.
    const held = holdEnd(res)
    try {
      await perform(deps, attempt, run, () => failureOf(res))
    } finally {
      held.release()
    }
  }

  /** A login that begins has a record already; what does not lead to one is written down here. */
  async function refusable(attempt: Attempt, res: ServerResponse, run: () => Promise<void>) {
    const held = holdEnd(res)
    try {
      await run()
      await refused(attempt, failureOf(res))
    } catch (error) {
      await refused(attempt, error)
      throw error
    } finally {
      held.release()
    }
  }

  async function refused(attempt: Attempt, error: unknown): Promise<void> {
    if (error === null || requestScope()?.hasLoginRecord === true || isOverLimit(error)) return
    try {
      if (attempt.principal !== null) await recordRefusal(deps, attempt, error)
      else await recordAnonymous(attempt, error)
    } catch (thrown) {
      // Nothing was done, so nothing has to be refused because of it.
      deps.logger.error({ err: thrown }, 'a refusal could not be written to the audit log')
    }
  }

  async function recordAnonymous(attempt: Attempt, error: unknown): Promise<void> {
    const uncounted = refusals.take()
    if (uncounted === null) return
    const input = uncounted === 0 ? {} : { refusalsNotRecorded: uncounted }
    const operation = { ...attempt.operation, keep: Object.keys(input) }
    await recordRefusal(deps, { ...attempt, operation, input }, error)
  }
}

/** Null = no record. A route that a row was forgotten for has one all the same. */
function operationOf(name: string, principal: Principal | null): AuditedOperation | null {
  if (Object.hasOwn(ROUTE_OPERATIONS, name)) return ROUTE_OPERATIONS[name] ?? null
  const isHarmless = /^(GET|HEAD|OPTIONS) /.test(name) || Object.hasOwn(ROUTES_WITHOUT_RECORD, name)
  return isHarmless || principal === null ? null : WITHOUT_ROW
}

/** What the path and the query name; a route's row says what is kept of it. */
function inputOf({ params, url }: Pick<Exchange, 'params' | 'url'>): Record<string, unknown> {
  return { ...Object.fromEntries(url.searchParams), ...params }
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'permission-denied',
  404: 'not-found',
  409: 'failed-precondition',
  410: 'not-found',
  429: 'resource-exhausted',
}

/** A route may answer with a failure without throwing one. */
function failureOf({ statusCode }: ServerResponse): KreError | null {
  if (statusCode < 400) return null
  const code = CODES[statusCode] ?? (statusCode < 500 ? 'invalid-argument' : 'internal')
  const reason = `HTTP_${statusCode}`
  return new KreError(code, `answered with status ${statusCode}`, { reason })
}

/** Those are refused because there were too many: a record for each would make that worse. */
function isOverLimit(error: unknown): boolean {
  if (error instanceof HttpProblem) return error.status === 429
  return toKreError(error).details['reason'] === 'HTTP_429'
}

/** `take` returns how many were refused since the last one that was granted; null = none is left in this minute. */
function createAllowance(now: () => Date) {
  let minute = 0
  let taken = 0
  let missed = 0
  return {
    take(): number | null {
      const current = Math.floor(now().getTime() / MINUTE_MS)
      if (current !== minute) taken = 0
      minute = current
      if (taken >= ANONYMOUS_REFUSALS_MAX) {
        missed += 1
        return null
      }
      taken += 1
      const before = missed
      missed = 0
      return before
    },
  }
}
