/** What an -ERR line of the server means. */
import { KreError, type ErrorDetails } from '@kre/contracts/runtime'

/** The credentials are refused, or no longer good. A slow computer's `Authentication Timeout` is none of these. */
const REFUSALS = [
  'authorization violation',
  'account authentication expired',
  'user authentication expired',
  'user authentication revoked',
]

/**
 * `permission-denied` with `details.subject` (the connection goes on), `unauthenticated`, or `unavailable` for all
 * others, after which the server ends the connection if it has to.
 */
export function toServerError(text: string): KreError {
  const lower = text.toLowerCase()
  if (lower.includes('permissions violation')) {
    const [, operation = '', subject = ''] = /(publish|subscription) to "(\S+)"/i.exec(text) ?? []
    const details: ErrorDetails = { operation: operation.toLowerCase(), subject }
    return new KreError('permission-denied', `the NATS server does not allow it: ${text}`, details)
  }
  if (REFUSALS.some((refusal) => lower.includes(refusal)))
    return new KreError('unauthenticated', `the NATS server refuses the credentials: ${text}`)
  return new KreError('unavailable', `the NATS server says: ${text}`)
}
