import { KreError } from '@kre/contracts'
import type { Login } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, isAllowed, type Principal } from '../principal.ts'
import { LOGIN_IDLE_MS } from '../sign-in/logins.ts'
import { quoted } from '../text.ts'

type LoginsDeps = Pick<FeatureDeps, 'identity' | 'now'>

/** The live logins of a user, newest first: one's own, or for administrators anybody's. */
export async function listLogins(
  deps: LoginsDeps,
  { principal, email }: { principal: Principal; email: string },
): Promise<Login[]> {
  authorize(principal, email === principal.email ? 'view logins' : 'view users')
  const now = deps.now()
  const logins = await deps.identity.logins.list(email, now)
  return logins.filter(({ usedAt }) => now.getTime() - usedAt.getTime() < LOGIN_IDLE_MS)
}

/**
 * Ends one login: one's own, or for administrators anybody's.
 *
 * @throws KreError `not-found`, also for a login that is somebody else's.
 */
export async function endLogin(
  deps: LoginsDeps,
  { principal, id }: { principal: Principal; id: string },
): Promise<Login> {
  authorize(principal, 'edit logins')
  const anybodys = isAllowed(principal, 'edit users', null)
  const login = await deps.identity.logins.removeById(id, anybodys ? null : principal.email)
  if (login !== null) return login
  throw new KreError('not-found', `there is no login ${quoted(id)}`)
}
