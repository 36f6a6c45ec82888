/** How a gRPC status looks in HTTP (google/rpc/code.proto says which goes with which). */
import type { Failure } from '../grpc/failure.ts'
import type { HeaderFields } from './door-port.ts'

const HTTP_STATUS: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
]

/** Failures that HTTP has a better word for than their gRPC status has. */
const BY_REASON: Readonly<Record<string, number>> = {
  PAYLOAD_TOO_LARGE: 413,
  HEADERS_TOO_LARGE: 431,
  REQUEST_TOO_SLOW: 408,
  METHOD_NOT_ALLOWED: 405,
  UNSUPPORTED_MEDIA_TYPE: 415,
  NOT_ACCEPTABLE: 406,
  // Not the caller's fault, and trying again does not help.
  ANSWER_TOO_LARGE: 500,
}

export function httpStatusOf(failure: Failure): number {
  // What a node made up maps by its status alone.
  const special = failure.reason === 'NODE_FAILED' ? undefined : BY_REASON[failure.reason]
  return special ?? HTTP_STATUS[failure.status] ?? 500
}

/** @param requestId empty = the request was refused before it had one. */
export function failureFields(failure: Failure, requestId: string): HeaderFields {
  const fields = [...requestIdFields(requestId)]
  const { retryAfterMs } = failure
  if (retryAfterMs !== undefined) {
    fields.push(['retry-after', String(Math.ceil(retryAfterMs / 1000))])
    fields.push(['retry-after-ms', String(retryAfterMs)])
  }
  return fields
}

/** Under the name that gRPC callers know, and the one that HTTP proxies do. */
export function requestIdFields(requestId: string): [string, string][] {
  if (requestId === '') return []
  return [
    ['request-id', requestId],
    ['x-request-id', requestId],
  ]
}
