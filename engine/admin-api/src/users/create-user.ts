import type { AccessLevel, User } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireUsers } from './find-users.ts'
import { checkEmail, checkGrants } from './user-rules.ts'

export type CreateUser = {
  principal: Principal
  email: string
  /** Null = only what the grants say. */
  accessLevel: AccessLevel | null
  grants: readonly { runtimeId: string; accessLevel: string }[]
}

/**
 * Lets somebody sign in. Who was removed before comes back with what is given now.
 *
 * @throws KreError `invalid-argument`, `already-exists`, `not-found` for the runtime of a grant.
 */
export async function createUser(
  deps: Pick<FeatureDeps, 'identity' | 'now'>,
  command: CreateUser,
): Promise<User> {
  authorize(command.principal, 'edit users')
  const email = checkEmail(command.email)
  const grants = checkGrants(command.grants)
  const { accessLevel } = command
  await deps.identity.users.create({ email, accessLevel, grants, createdAt: deps.now() })
  const [user] = await requireUsers(deps, [email])
  return user as User
}
