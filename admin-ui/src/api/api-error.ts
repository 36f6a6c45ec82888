import type { KrtIssue } from './krt-issue.ts'

/**
 * Why the API did not do something. `code` is `extensions.code` of GraphQL or the `code` of an HTTP answer, in
 * capitals; `UNREACHABLE` when nothing answered.
 */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly code: string
  /** To find the request in the engine's log; empty where there was no answer. */
  readonly requestId: string
  /** Findings of the validator. */
  readonly issues: readonly KrtIssue[]

  constructor(
    code: string,
    message: string,
    more: { requestId?: string; issues?: readonly KrtIssue[]; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause })
    this.code = code
    this.requestId = more.requestId ?? ''
    this.issues = more.issues ?? []
  }
}

/** Anything that was thrown as an error that can be shown. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new ApiError('INTERNAL', message, { cause: thrown })
}
