import type { AccessLevel } from '../principal.ts'

/** A user by e-mail. Every user of a local engine is its owner. */
export function toGraphqlUser(email: string, accessLevel: AccessLevel = 'ADMIN') {
  return { id: email, email, accessLevel }
}
