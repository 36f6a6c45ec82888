/** The closed set of reasons an operation of KRE fails for. Each edge (gRPC, GraphQL, CLI) maps all of them. */
export const ERROR_CODES = [
  'invalid-argument',
  'not-found',
  'already-exists',
  'failed-precondition',
  'permission-denied',
  'unauthenticated',
  'resource-exhausted',
  'unavailable',
  'unimplemented',
  'aborted',
  'cancelled',
  'deadline-exceeded',
  'internal',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

export type ErrorDetails = Readonly<Record<string, string | number | readonly string[]>>

/** The one error class of KRE: `code` is for machines, `message` says what, where, why and what to do. */
export class KreError extends Error {
  override name = 'KreError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(
    code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

/** Turns whatever was thrown into a KreError; a foreign error becomes `internal` and is kept as the cause. */
export function toKreError(thrown: unknown): KreError {
  if (thrown instanceof KreError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new KreError('internal', message, {}, { cause: thrown })
}

/** gRPC status code of each error code (grpc/doc/statuscodes.md). */
export const GRPC_STATUS: Readonly<Record<ErrorCode, number>> = {
  cancelled: 1,
  'invalid-argument': 3,
  'deadline-exceeded': 4,
  'not-found': 5,
  'already-exists': 6,
  'permission-denied': 7,
  'resource-exhausted': 8,
  'failed-precondition': 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
}

/** `OK`, and the names of the statuses above, by their number. */
const STATUS_NAMES: readonly string[] = (() => {
  const names: string[] = ['OK']
  for (const [code, status] of Object.entries(GRPC_STATUS))
    names[status] = code.toUpperCase().replaceAll('-', '_')
  return names
})()

/** Name of a gRPC status: `OK`, `DEADLINE_EXCEEDED` … */
export function statusName(status: number): string {
  return STATUS_NAMES[status] ?? 'UNKNOWN'
}
