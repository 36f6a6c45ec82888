import type { Settings, User } from '@kre/store'
import { LOCAL_OWNER } from '../principal.ts'
import { domainOf } from './email-address.ts'

export type Admission = 'known' | 'new' | 'refused'

/**
 * Whether an address that was proved may sign in.
 *
 * @param user the row of the address, also a removed one; null = there is none.
 * @returns `new` when its domain is allowed and it becomes a VIEWER. Who was removed stays out, whatever the domain.
 * Nobody proves to be the owner of the development token but by that token.
 */
export function admit(
  email: string,
  user: Pick<User, 'removedAt'> | null,
  settings: Pick<Settings, 'authAllowedDomains'>,
): Admission {
  if (email === LOCAL_OWNER) return 'refused'
  if (user !== null) return user.removedAt === null ? 'known' : 'refused'
  return settings.authAllowedDomains.includes(domainOf(email)) ? 'new' : 'refused'
}
