import { KreError } from '@kre/contracts'
import type { Store, User } from '@kre/store'
import { authorize, type Principal } from '../principal.ts'
import { findAccount, OWNER_ACCOUNT } from '../sign-in/accounts.ts'
import { quoted } from '../text.ts'

type FindUsersDeps = Pick<Store, 'identity'>

/** Users that one command may name; more than a person picks by hand. */
const USERS_MAX = 500

/** The owner of the development token, then everybody who was not removed, by e-mail. */
export async function listUsers(
  { identity }: FindUsersDeps,
  { principal }: { principal: Principal },
): Promise<User[]> {
  authorize(principal, 'view users')
  return [OWNER_ACCOUNT, ...(await identity.users.list())]
}

/**
 * The users that a command names, each once, in its order.
 *
 * @throws KreError `not-found` naming the first that is not there or was removed, `invalid-argument` for none or too many.
 */
export async function requireUsers(
  { identity }: FindUsersDeps,
  userIds: readonly string[],
): Promise<User[]> {
  const emails = [...new Set(userIds.map((id) => id.trim().toLowerCase()))]
  if (emails.length === 0 || emails.length > USERS_MAX)
    throw new KreError(
      'invalid-argument',
      `the command names ${emails.length} users: name 1 to ${USERS_MAX}`,
      { field: 'userIds' },
    )
  return Promise.all(
    emails.map(async (email) => {
      const user = await findAccount(identity.users, email)
      if (user !== null) return user
      throw new KreError('not-found', `there is no user ${quoted(email)}`)
    }),
  )
}
