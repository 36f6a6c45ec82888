import { KreError } from '@kre/contracts'
import { ACCESS_LEVELS, type AccessLevel, type ApiTokenScope } from '@kre/store'
import { ACTIONS, type Action, type OtherAction, type RuntimeAction } from './access/policy.ts'
import { quoted } from './text.ts'

/** What a request proved itself with. */
export type Credential =
  | { readonly kind: 'owner' }
  | { readonly kind: 'login'; readonly loginHash: string }
  | { readonly kind: 'api-token'; readonly tokenId: string }

/** Who is asking, and what the credential is good for. Made by the authenticator alone. */
export type Principal = {
  readonly email: string
  /** Level on every runtime and on the engine; null = only what `grants` says. */
  readonly accessLevel: AccessLevel | null
  /** By runtime. */
  readonly grants: ReadonlyMap<string, AccessLevel>
  /** `read` makes every level a VIEWER's. */
  readonly scope: ApiTokenScope
  /** The only runtimes that the credential is good for; null = all. It is good for nothing else then. */
  readonly runtimeIds: ReadonlySet<string> | null
  readonly credential: Credential
  /** An API token, or a login that was got with one: no person sits there. */
  readonly isToken: boolean
}

/** The one user of a local engine: whoever can read its data folder. */
export const LOCAL_OWNER = 'dev@local.local'

/**
 * Lets the principal pass or refuses, by the table of `ACTIONS`.
 *
 * @throws KreError `permission-denied`: `you are not allowed to <act> <resource>`; `not-found` for a runtime that the
 * principal may not see, in the words of one that isn't there.
 */
export function authorize(principal: Principal, action: OtherAction): void
export function authorize(principal: Principal, action: RuntimeAction, runtimeId: string): void
export function authorize(principal: Principal, action: Action, runtimeId?: string): void {
  if (runtimeId !== undefined && !sees(principal, runtimeId)) throw runtimeMissing(runtimeId)
  if (isAllowed(principal, action, runtimeId ?? null)) return
  throw new KreError('permission-denied', `you are not allowed to ${action}`, {
    accessLevel: levelOn(principal, runtimeId ?? null) ?? 'none',
  })
}

/** Whether the runtime is there for the principal at all. */
export function sees(principal: Principal, runtimeId: string): boolean {
  return levelOn(principal, runtimeId) !== null
}

/** @param runtimeId null for actions on the engine or on the own account. */
export function isAllowed(principal: Principal, action: Action, runtimeId: string | null): boolean {
  const rule = ACTIONS[action]
  if (rule.credential === 'person' && principal.isToken) return false
  if (rule.credential === 'owner' && principal.credential.kind !== 'owner') return false
  if (rule.on === 'self') return true
  if (rule.on === 'runtime' && runtimeId === null) return false
  const level = levelOn(principal, rule.on === 'runtime' ? runtimeId : null)
  return level !== null && rank(level) >= rank(rule.lowest)
}

/** Whether two principals of one credential may do the same. */
export function hasSameRights(one: Principal, other: Principal): boolean {
  return rights(one) === rights(other)
}

/** What the principal is on a runtime, or on the engine (null): the highest of what it was given, within its credential. */
function levelOn(principal: Principal, runtimeId: string | null): AccessLevel | null {
  const { accessLevel, grants, runtimeIds, scope } = principal
  if (runtimeIds !== null && (runtimeId === null || !runtimeIds.has(runtimeId))) return null
  const granted = runtimeId === null ? undefined : grants.get(runtimeId)
  const level = ACCESS_LEVELS.findLast((other) => other === accessLevel || other === granted)
  if (level === undefined) return null
  return scope === 'read' ? 'VIEWER' : level
}

function rank(level: AccessLevel): number {
  return ACCESS_LEVELS.indexOf(level)
}

function rights({ accessLevel, grants, scope, runtimeIds }: Principal): string {
  return JSON.stringify([accessLevel, [...grants], scope, runtimeIds && [...runtimeIds]])
}

/** The one answer for runtimes that are not there and for those of others. */
export function runtimeMissing(runtimeId: string): KreError {
  return new KreError('not-found', `there is no runtime ${quoted(runtimeId)}`)
}
