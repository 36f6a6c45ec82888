import { KreError } from '@kre/contracts'
import type { Grant, User } from '@kre/store'
import { LOCAL_OWNER, type Principal } from '../principal.ts'
import { EmailAddress } from '../sign-in/email-address.ts'
import { quoted } from '../text.ts'

/** Grants of one user: more than anybody oversees. */
const GRANTS_MAX = 200

/** @throws KreError `invalid-argument`. */
export function checkEmail(text: string): string {
  const parsed = EmailAddress.safeParse(text)
  if (parsed.success && parsed.data !== LOCAL_OWNER) return parsed.data
  throw new KreError(
    'invalid-argument',
    parsed.success
      ? `${quoted(text)} is reserved for the owner of the development token: use another address`
      : `${quoted(text)} is not an e-mail address: write one as in ada@example.com`,
    { field: 'email' },
  )
}

/** @throws KreError `invalid-argument` for ADMIN, a runtime named twice, or too many. */
export function checkGrants(
  grants: readonly { runtimeId: string; accessLevel: string }[],
  field = 'grants',
): Grant[] {
  if (grants.length > GRANTS_MAX)
    throw invalid(field, `there are ${grants.length} grants: use at most ${GRANTS_MAX}`)
  const seen = new Set<string>()
  return grants.map(({ runtimeId, accessLevel }) => {
    if (seen.has(runtimeId)) throw invalid(field, `runtime ${quoted(runtimeId)} is named twice`)
    seen.add(runtimeId)
    if (accessLevel === 'VIEWER' || accessLevel === 'MANAGER') return { runtimeId, accessLevel }
    throw invalid(
      field,
      `${accessLevel} is a level of the whole engine: grant VIEWER or MANAGER on runtime ${quoted(runtimeId)}`,
    )
  })
}

/**
 * Refuses what nobody may do to himself, and what nobody may do to the owner of the development token.
 *
 * @param what as in KRE's messages: `change your access level`, `remove yourself`.
 * @throws KreError `failed-precondition`.
 */
export function refuseSelf(principal: Principal, users: readonly User[], what: string): void {
  if (users.some(({ email }) => email === principal.email))
    throw new KreError('failed-precondition', `you cannot ${what}`, { reason: 'SELF' })
  if (users.some(({ email }) => email === LOCAL_OWNER))
    throw new KreError(
      'failed-precondition',
      `"${LOCAL_OWNER}" is whoever holds the development token: it can't be removed or changed`,
      { reason: 'LOCAL_OWNER' },
    )
}

/**
 * Refuses to take the level ADMIN from everybody who has it. The store refuses it too, user by user, also when two
 * commands race; this one refuses before anything is changed.
 *
 * @throws KreError `failed-precondition`.
 */
export function refuseNoAdmin(all: readonly User[], demoted: readonly User[]): void {
  const gone = new Set(demoted.map(({ email }) => email))
  const admins = all.filter(
    ({ email, accessLevel }) => accessLevel === 'ADMIN' && email !== LOCAL_OWNER,
  )
  if (admins.length === 0 || admins.some(({ email }) => !gone.has(email))) return
  const names = admins.map(({ email }) => `"${email}"`).join(', ')
  throw new KreError(
    'failed-precondition',
    `no administrator would be left without ${names}: make somebody else ADMIN first`,
    { reason: 'LAST_ADMIN' },
  )
}

function invalid(field: string, what: string): KreError {
  return new KreError('invalid-argument', `the ${field} are not legal: ${what}`, { field })
}
