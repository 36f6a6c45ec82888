/** What is no failure when something is made that is there, or looked for that is not. */
import { JetStreamApiError } from '@nats-io/jetstream'

const STREAM_NAME_IN_USE = 10058
const STREAM_NOT_FOUND = 10059
const CONSUMER_EXISTS = 10148

/** Somebody made it between looking and making, or the stream is there and only a consumer was missing. */
export function ignoreExisting(error: unknown): void {
  if (
    error instanceof JetStreamApiError &&
    (error.code === STREAM_NAME_IN_USE || error.code === CONSUMER_EXISTS)
  )
    return
  throw error
}

export function ignoreMissing(error: unknown): undefined {
  if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined
  if (error instanceof Error && error.name === 'StreamNotFoundError') return undefined
  throw error
}
