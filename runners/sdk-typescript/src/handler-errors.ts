/** What a handler throws to say whether trying again can help. Any other error is terminal. */

/** The message is handled again, within the node's `retries` and the request's deadline. */
export class RetryableError extends Error {
  override name = 'RetryableError'
  /** Milliseconds to wait before the next attempt; null = the node's `retries.backoffMs`. */
  readonly retryAfterMs: number | null

  constructor(text: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(text, options)
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}

/** The caller gets the error at once. */
export class TerminalError extends Error {
  override name = 'TerminalError'
}

/** A payload is of another type than asked for, or its bytes are not of its type. */
export class PayloadError extends TerminalError {
  override name = 'PayloadError'
  /** The bytes themselves are at fault, so a caller who sent them is to blame. */
  readonly malformed: boolean

  constructor(text: string, malformed: boolean, options?: ErrorOptions) {
    super(text, options)
    this.malformed = malformed
  }
}
