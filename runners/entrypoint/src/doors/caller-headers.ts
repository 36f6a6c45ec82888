import { createFailure, type Failure } from '../grpc/failure.ts'
import { RequestHeaders } from '../http2/request-headers.ts'

/** `grpc-timeout` has no more digits; a deadline of a day is none. */
const TIMEOUT_MS_MAX = 99_999_999

/**
 * What the request's path through the workflow is told of an HTTP request's headers. The deadline may be given as
 * `x-timeout-ms`, which people can write.
 *
 * @param more pairs that the door adds.
 */
export function callerHeaders(
  from: RequestHeaders,
  more: readonly string[] = [],
): RequestHeaders | Failure {
  const headers = new RequestHeaders()
  headers.method = from.method
  headers.path = from.path
  headers.pairs.push(...from.pairs, ...more)
  const timeout = from.get('x-timeout-ms')
  if (timeout === undefined || from.get('grpc-timeout') !== undefined) return headers
  if (!/^\d{1,15}$/.test(timeout))
    return createFailure(
      'invalid-argument',
      'BAD_TIMEOUT',
      `x-timeout-ms "${timeout}" is not a number of milliseconds`,
    )
  headers.pairs.push('grpc-timeout', `${Math.min(Number(timeout), TIMEOUT_MS_MAX)}m`)
  return headers
}
