import type { User, UserStore } from '@kre/store'
import { LOCAL_OWNER } from '../principal.ts'

/**
 * The holder of the development token, who is there as long as the engine is: no row of the store, so nobody can
 * remove or demote him, and he doesn't count as an administrator when the last one of them is to go.
 */
export const OWNER_ACCOUNT: User = Object.freeze({
  email: LOCAL_OWNER,
  accessLevel: 'ADMIN',
  grants: [],
  createdAt: new Date(0),
  lastActivityAt: null,
  removedAt: null,
})

/** A user who may sign in; null = unknown or removed. */
export async function findAccount(users: UserStore, email: string): Promise<User | null> {
  if (email === LOCAL_OWNER) return OWNER_ACCOUNT
  const user = await users.find(email)
  return user === null || user.removedAt !== null ? null : user
}
