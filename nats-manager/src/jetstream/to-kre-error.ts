import { JetStreamApiError } from '@nats-io/jetstream'
import { KreError } from '@kre/contracts'

const INSUFFICIENT_RESOURCES = 10023
const STORAGE_RESOURCES_EXCEEDED = 10047
const WRONG_LAST_SEQUENCE = 10071

/** NATS errors in KRE's words; the original stays as the cause. */
export function toKreError(error: unknown): KreError {
  if (error instanceof KreError) return error
  const cause = { cause: error }
  if (error instanceof JetStreamApiError) {
    if (error.code === WRONG_LAST_SEQUENCE)
      return new KreError('aborted', 'somebody else wrote the routing table first', {}, cause)
    if (error.code === INSUFFICIENT_RESOURCES || error.code === STORAGE_RESOURCES_EXCEEDED) {
      return new KreError(
        'resource-exhausted',
        `NATS has no room for another stream (${error.message}): free disk space or raise its limits`,
        {},
        cause,
      )
    }
    return new KreError(
      'internal',
      `NATS refused: ${error.message}`,
      { natsError: error.code },
      cause,
    )
  }
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof Error && CONNECTION_ERRORS.has(error.name)) {
    return new KreError('unavailable', `NATS can't be reached: ${message}`, {}, cause)
  }
  return new KreError('internal', message, {}, cause)
}

const CONNECTION_ERRORS = new Set([
  'ClosedConnectionError',
  'ConnectionError',
  'DrainingConnectionError',
  'NoRespondersError',
  'RequestError',
  'TimeoutError',
])
