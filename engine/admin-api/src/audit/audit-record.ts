import { ERROR_CODES } from '@kre/contracts'
import { z } from 'zod'

/** What a link's body may take; lists and texts are cut so that it never takes more. */
export const BODY_BYTES_MAX = 64 * 1024

/**
 * `refused`: the engine did not do it, for a reason of the caller's. `failed`: it could not, or not wholly. `unknown`:
 * the engine ended in between, so it may be done or not.
 */
const AUDIT_OUTCOMES = ['succeeded', 'refused', 'failed', 'unknown'] as const

const PRINCIPAL_KINDS = ['anonymous', 'owner', 'login', 'api-token'] as const
export type PrincipalKind = (typeof PRINCIPAL_KINDS)[number]

const Var = z.object({ key: z.string(), value: z.string() })
export type ActivityVar = z.infer<typeof Var>

const IntentBody = z.object({
  /** The field or route: `Mutation.startVersion`, `PUT /api/v1/runtimes/:id/versions`. */
  operation: z.string(),
  requestId: z.string(),
  /** Names the engine that did it. */
  engine: z.string(),
  principal: z.enum(PRINCIPAL_KINDS),
  address: z.string(),
  userAgent: z.string(),
  /** What it was done to, as the caller named it. */
  resource: z.record(z.string(), z.unknown()),
  args: z.record(z.string(), z.unknown()),
  comment: z.string(),
})

/** What an intent says beside the columns of its link. */
export type IntentBody = z.infer<typeof IntentBody>

/** What an outcome says: all of its intent again, so that it is read alone. */
export const OutcomeBody = IntentBody.extend({
  startedAt: z.string(),
  outcome: z.enum(AUDIT_OUTCOMES),
  /** Whether the caller might do it. */
  decision: z.enum(['allowed', 'denied', 'unknown']),
  errorCode: z.enum(ERROR_CODES).nullable(),
  /** `details.reason` of the error, where it has one. */
  reason: z.string().nullable(),
  /** What changed; absent where nothing did or it can't be said. */
  before: z.unknown().optional(),
  after: z.unknown().optional(),
  /** One list per row of `userActivityList`; at least one. */
  rows: z.array(z.array(Var)).min(1),
})
export type OutcomeBody = z.infer<typeof OutcomeBody>

/** Null for a body that no engine wrote: somebody changed it, and lists go on all the same. */
export function parseOutcomeBody(body: string): OutcomeBody | null {
  try {
    return OutcomeBody.safeParse(JSON.parse(body)).data ?? null
  } catch {
    // Not even JSON; the integrity check names the link.
    return null
  }
}

/** Null as above. */
export function parseIntentBody(body: string): IntentBody | null {
  try {
    return IntentBody.safeParse(JSON.parse(body)).data ?? null
  } catch {
    // As above.
    return null
  }
}
