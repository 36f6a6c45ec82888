import { ACCESS_LEVELS, type ApiToken, type Login, type User } from '@kre/store'

/** The parent of `User`: its address, and its row where that is at hand. The fields have resolvers. */
export type GraphqlUser = { readonly id: string; readonly email: string; readonly row?: User }

/** A user by e-mail, as authors are kept. */
export function toGraphqlUser(email: string): GraphqlUser {
  return { id: email, email }
}

/** A user whose row is at hand. */
export function toGraphqlAccount(row: User): GraphqlUser {
  return { id: row.email, email: row.email, row }
}

/** `User.accessLevel`: the highest level that the user has anywhere, VIEWER at least. */
export function highestLevel(user: Pick<User, 'accessLevel' | 'grants'>) {
  const levels = [user.accessLevel, ...user.grants.map(({ accessLevel }) => accessLevel)]
  return ACCESS_LEVELS.findLast((level) => levels.includes(level)) ?? 'VIEWER'
}

export function toGraphqlApiToken(token: ApiToken) {
  return {
    id: token.id,
    name: token.name,
    creationDate: token.createdAt.toISOString(),
    lastActivity: token.usedAt?.toISOString() ?? null,
    expirationDate: token.expiresAt.toISOString(),
    scope: token.scope === 'read' ? 'READ' : 'FULL',
    runtimeIds: token.runtimeIds,
  }
}

export function toGraphqlLogin(login: Login, currentHash: string | null) {
  return {
    id: login.id,
    method: { link: 'LINK', oidc: 'OIDC', 'api-token': 'API_TOKEN' }[login.method],
    userAgent: login.userAgent,
    creationDate: login.createdAt.toISOString(),
    lastActivity: login.usedAt.toISOString(),
    expirationDate: login.expiresAt.toISOString(),
    isCurrent: login.tokenHash === currentHash,
  }
}
