import { KreError, type ErrorCode } from '@kre/contracts'

/** A refusal with an HTTP status and code of its own, where the error code alone doesn't say which. */
export class HttpProblem extends KreError {
  override name = 'HttpProblem'
  readonly status: number
  readonly wireCode: string
  readonly headers: Readonly<Record<string, string>>
  /** What is wrong field by field, where that can be said. */
  readonly errors?: readonly { field: string; type: string; description: string }[]

  constructor(
    code: ErrorCode,
    http: { status: number; wireCode: string; headers?: Record<string, string> },
    message: string,
    /** The cause is for the log alone. */
    options?: ErrorOptions,
  ) {
    super(code, message, {}, options)
    this.status = http.status
    this.wireCode = http.wireCode
    this.headers = http.headers ?? {}
  }
}

/** Status and `code` of the error body. */
const ANSWERS: Readonly<Record<ErrorCode, readonly [status: number, wireCode: string]>> = {
  'invalid-argument': [400, 'validation_error'],
  unauthenticated: [401, 'unauthorized'],
  'permission-denied': [403, 'forbidden'],
  'not-found': [404, 'not_found'],
  'deadline-exceeded': [408, 'timeout'],
  'already-exists': [409, 'already_exists'],
  'failed-precondition': [409, 'failed_precondition'],
  aborted: [409, 'aborted'],
  cancelled: [499, 'cancelled'],
  internal: [500, 'unexpected_error'],
  unimplemented: [501, 'unimplemented'],
  unavailable: [503, 'unavailable'],
  'resource-exhausted': [507, 'resource_exhausted'],
}

export type ProblemAnswer = {
  status: number
  headers: Readonly<Record<string, string>>
  body: { code: string; message: string; requestId: string; errors?: HttpProblem['errors'] }
}

/** The answer for a failure. What only the log may know is left out. */
export function problemAnswer(error: KreError, requestId: string): ProblemAnswer {
  if (error instanceof HttpProblem) {
    const body = {
      code: error.wireCode,
      message: error.message,
      requestId,
      ...(error.errors === undefined ? {} : { errors: error.errors }),
    }
    return { status: error.status, headers: error.headers, body }
  }
  const [status, wireCode] = ANSWERS[error.code]
  // Some refusals have a name of their own, for example VERSION_EXISTS.
  const code = typeof error.details['reason'] === 'string' ? error.details['reason'] : wireCode
  return {
    status,
    headers: {},
    body: { code, message: publicMessage(error, requestId), requestId },
  }
}

/** Messages of faults, as opposed to refusals, may quote drivers and paths: callers get the request id instead. */
export function publicMessage(error: KreError, requestId: string): string {
  if (error.code === 'internal')
    return `the engine failed at this request: its log says why under request id ${requestId}`
  if (error.code === 'unavailable')
    return `a part of the engine can't be reached at the moment: try again, or see its log under request id ${requestId}`
  return error.message
}

/** Of faults the name of what went wrong alone: the rest may be as telling as their messages. */
export function publicDetails({ code, details }: KreError): KreError['details'] {
  if (code !== 'internal' && code !== 'unavailable') return details
  const reason = details['reason']
  return reason === undefined ? {} : { reason }
}
