import type { AccessLevel, User } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireComment } from '../releases/require-comment.ts'
import { requireUsers } from './find-users.ts'
import { refuseOtherGrants, refuseOtherLevel } from '../concurrency/refuse-overtaken.ts'
import { checkGrants, refuseNoAdmin, refuseSelf } from './user-rules.ts'

type ChangeUsersDeps = Pick<FeatureDeps, 'identity' | 'now' | 'lock'>

export type UsersCommand = {
  readonly principal: Principal
  readonly userIds: readonly string[]
  readonly comment: string
}
type GrantsInput = readonly { runtimeId: string; accessLevel: string }[]

/**
 * Removes users with their logins, links, tokens and grants; what they did keeps their name.
 *
 * @returns them as they were.
 * @throws KreError `failed-precondition` for oneself, the development token's owner, or the last administrator.
 */
export function removeUsers(deps: ChangeUsersDeps, command: UsersCommand): Promise<User[]> {
  return change(deps, command, 'remove yourself', async (users, all) => {
    refuseNoAdmin(all, users)
    for (const { email } of users) await deps.identity.users.remove(email, deps.now())
    return users
  })
}

/**
 * Gives users a level on all runtimes, or takes it away (null); their grants stay.
 *
 * @param command.ifAccessLevel the level that each of them must still have, null = none; absent = whatever they have.
 * @throws KreError `failed-precondition` as `removeUsers`, `aborted` when one of them has another level by now.
 */
export function updateAccessLevel(
  deps: ChangeUsersDeps,
  command: UsersCommand & {
    accessLevel: AccessLevel | null
    ifAccessLevel?: AccessLevel | null | undefined
  },
): Promise<User[]> {
  const { accessLevel, ifAccessLevel } = command
  return change(deps, command, 'change your access level', async (users, all) => {
    if (ifAccessLevel !== undefined) refuseOtherLevel(users, ifAccessLevel)
    if (accessLevel !== 'ADMIN') refuseNoAdmin(all, users)
    for (const { email } of users) await deps.identity.users.setLevel(email, accessLevel)
    return reread(deps, users)
  })
}

/**
 * Replaces the grants of users.
 *
 * @param command.ifGrants all that each of them must still have; absent or null = whatever they have.
 * @throws KreError `not-found` for a runtime, `failed-precondition` for oneself, `aborted` when one of them has other
 * grants by now.
 */
export function updateGrants(
  deps: ChangeUsersDeps,
  command: UsersCommand & { grants: GrantsInput; ifGrants?: GrantsInput | null | undefined },
): Promise<User[]> {
  const grants = checkGrants(command.grants)
  const expected = command.ifGrants ? checkGrants(command.ifGrants, 'ifGrants') : null
  return change(deps, command, 'change your access level', async (users) => {
    if (expected !== null) refuseOtherGrants(users, expected)
    for (const { email } of users) await deps.identity.users.setGrants(email, grants)
    return reread(deps, users)
  })
}

/** Ends all logins of users; their API tokens stay. Oneself may be among them. */
export async function revokeLogins(deps: ChangeUsersDeps, command: UsersCommand): Promise<User[]> {
  authorize(command.principal, 'edit users')
  requireComment(command.comment)
  const users = await requireUsers(deps, command.userIds)
  for (const { email } of users) await deps.identity.logins.removeAll(email)
  return users
}

/** Everything is checked before anything is changed, and one change of users waits for the other. */
async function change(
  deps: ChangeUsersDeps,
  { principal, userIds, comment }: UsersCommand,
  what: string,
  apply: (users: User[], all: readonly User[]) => Promise<User[]>,
): Promise<User[]> {
  authorize(principal, 'edit users')
  requireComment(comment)
  return deps.lock('users', async () => {
    const users = await requireUsers(deps, userIds)
    refuseSelf(principal, users, what)
    return apply(users, await deps.identity.users.list())
  })
}

function reread(deps: ChangeUsersDeps, users: readonly User[]): Promise<User[]> {
  return requireUsers(
    deps,
    users.map(({ email }) => email),
  )
}
