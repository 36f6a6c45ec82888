import { KreError } from '@kre/contracts'
import type { IdentityStore, Login, LoginMethod } from '@kre/store'
import { HttpProblem } from '../http/http-problem.ts'
import { LOCAL_OWNER } from '../principal.ts'
import { admit } from './admit.ts'
import { loginToken } from './authenticate.ts'
import type { Logins } from './logins.ts'

type CompleteSignInDeps = { identity: IdentityStore; logins: Logins; now: () => Date }

/**
 * Begins the login of somebody who proved an e-mail address; who is new and admitted becomes a VIEWER only now.
 * A login that the browser had before ends.
 *
 * @throws HttpProblem 403 `user_not_allowed` when the address may not sign in (any more).
 */
export async function completeSignIn(
  deps: CompleteSignInDeps,
  proved: {
    email: string
    method: LoginMethod
    headers: { cookie?: string | undefined; 'user-agent'?: string | undefined }
  },
): Promise<{ token: string; login: Login }> {
  const { email, method, headers } = proved
  // Links of the owner are made for whoever shows the development token, and never mailed.
  if (email !== LOCAL_OWNER || method !== 'link') await requireAdmitted(deps, email)
  const earlier = loginToken(headers.cookie)
  const earlierLogin = earlier === null ? null : await deps.logins.find(earlier)
  if (earlierLogin !== null) await deps.logins.end(earlierLogin.tokenHash)
  const begun = await deps.logins.begin({
    user: email,
    method,
    userAgent: headers['user-agent'] ?? '',
  })
  await deps.identity.users.touch(email, deps.now())
  return begun
}

async function requireAdmitted(
  { identity, now }: CompleteSignInDeps,
  email: string,
): Promise<void> {
  const [user, settings] = await Promise.all([identity.users.find(email), identity.settings.get()])
  const admission = admit(email, user, settings)
  if (admission === 'refused') throw userNotAllowed()
  if (admission === 'known') return
  try {
    await identity.users.create({ email, accessLevel: 'VIEWER', grants: [], createdAt: now() })
  } catch (error) {
    // Somebody was faster in making the same user.
    if (!(error instanceof KreError) || error.code !== 'already-exists') throw error
  }
}

export function userNotAllowed(): HttpProblem {
  return new HttpProblem(
    'permission-denied',
    { status: 403, wireCode: 'user_not_allowed' },
    'this address may not sign in: ask an administrator',
  )
}
