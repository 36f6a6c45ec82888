import type { IncomingHttpHeaders } from 'node:http'
import { KreError, MINUTE_MS, SECOND_MS } from '@kre/contracts'

/** No deadline of a workflow is longer. */
const TIMEOUT_MS_MAX = 10 * MINUTE_MS
const TIMEOUT_MS = 30 * SECOND_MS

/** What goes with a request to the nodes, as at the entrypoint itself; nothing of the caller's login does. */
export function callHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' &&
      (name.startsWith('x-krt-') || name === 'traceparent' || name === 'tracestate')
        ? [[name, value]]
        : [],
    ),
  )
}

/** @throws KreError `invalid-argument`. */
export function callTimeoutMs(headers: IncomingHttpHeaders): number {
  const text = headers['x-timeout-ms']
  if (text === undefined) return TIMEOUT_MS
  const timeoutMs = typeof text === 'string' && /^\d{1,7}$/.test(text) ? Number(text) : 0
  if (timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX) return timeoutMs
  throw new KreError(
    'invalid-argument',
    `x-timeout-ms is a whole number of milliseconds from 1 to ${TIMEOUT_MS_MAX}`,
  )
}
