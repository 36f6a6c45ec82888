import type { AccessLevel, ApiToken, IdentityStore, User } from '@kre/store'
import type { Credential, Principal } from '../principal.ts'
import { apiTokenId } from '../tokens/api-token-text.ts'
import { findAccount, OWNER_ACCOUNT } from './accounts.ts'
import { USE_GRANULARITY_MS, type Logins } from './logins.ts'
import { noteUse } from './note-use.ts'
import { equalHashes, type HashToken } from './tokens.ts'

/** Makes principals of credentials. Rights are read each time, so a change of them counts from the next request on. */
export type Principals = {
  ofOwner(): Principal
  /** Null, here and below: the credential is good for nothing. */
  ofLogin(token: string): Promise<Principal | null>
  ofApiToken(token: string): Promise<Principal | null>
  /** What a principal is now, without counting as a use. */
  again(principal: Principal): Promise<Principal | null>
}

export function createPrincipals(deps: {
  identity: IdentityStore
  logins: Logins
  now: () => Date
  hashToken: HashToken
}): Principals {
  const { identity, logins, now, hashToken } = deps
  const owner = toPrincipal(OWNER_ACCOUNT, { kind: 'owner' }, null)

  async function liveToken(id: string): Promise<ApiToken | null> {
    const token = await identity.apiTokens.find(id)
    return token === null || token.expiresAt <= now() ? null : token
  }

  /** The principal of an account with a credential, narrowed by the API token that is behind it. */
  async function make(
    email: string,
    credential: Credential,
    tokenId: string | null,
  ): Promise<Principal | null> {
    const token = tokenId === null ? null : await liveToken(tokenId)
    if (tokenId !== null && token?.user !== email) return null
    const user = await findAccount(identity.users, email)
    return user === null ? null : toPrincipal(user, credential, token)
  }

  return {
    ofOwner: () => owner,

    async ofLogin(text) {
      const login = await logins.find(text)
      if (login === null) return null
      const credential = { kind: 'login', loginHash: login.tokenHash } as const
      const principal = await make(login.user, credential, login.apiTokenId)
      if (principal === null) return null
      await noteUse(async () => {
        if (await logins.use(login)) await identity.users.touch(login.user, now())
      })
      return principal
    },

    async ofApiToken(text) {
      const id = apiTokenId(text)
      const token = id === null ? null : await liveToken(id)
      if (token === null || !equalHashes(hashToken(text), token.tokenHash)) return null
      const principal = await make(token.user, { kind: 'api-token', tokenId: token.id }, token.id)
      const idleMs = now().getTime() - (token.usedAt?.getTime() ?? 0)
      if (principal !== null && idleMs >= USE_GRANULARITY_MS)
        await noteUse(async () => {
          await identity.apiTokens.touch(token.id, now())
          await identity.users.touch(token.user, now())
        })
      return principal
    },

    async again({ email, credential }) {
      switch (credential.kind) {
        case 'owner':
          return owner
        case 'api-token':
          return make(email, credential, credential.tokenId)
        case 'login': {
          const login = await logins.findByHash(credential.loginHash)
          return login === null ? null : make(login.user, credential, login.apiTokenId)
        }
      }
    },
  }
}

function toPrincipal(user: User, credential: Credential, token: ApiToken | null): Principal {
  const grants = user.grants.map(({ runtimeId, accessLevel }): [string, AccessLevel] => [
    runtimeId,
    accessLevel,
  ])
  return {
    email: user.email,
    accessLevel: user.accessLevel,
    grants: new Map(grants),
    scope: token?.scope ?? 'full',
    runtimeIds: token === null || token.runtimeIds === null ? null : new Set(token.runtimeIds),
    credential,
    isToken: token !== null,
  }
}
