import { randomBytes } from 'node:crypto'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@kre/contracts'
import type { IdentityStore, Login, LoginMethod } from '@kre/store'
import { noteUse } from './note-use.ts'
import { createToken, TOKEN, type HashToken } from './tokens.ts'

/** A login ends after so long without a request; its absolute end is a setting. */
export const LOGIN_IDLE_MS = 8 * HOUR_MS
/** Uses are written down so often at most; a login may seem idle for so much longer than it is. */
export const USE_GRANULARITY_MS = MINUTE_MS
const USER_AGENT_CHARS_MAX = 200

export type NewLogin = {
  user: string
  method: LoginMethod
  userAgent: string
  /** The API token it is got with: it ends with that. */
  apiToken?: { id: string; expiresAt: Date }
}

export type Logins = {
  /** Starts a login and returns its token, which is not kept. */
  begin(login: NewLogin): Promise<{ token: string; login: Login }>
  /** The login of a token; null = unknown or over. */
  find(token: string): Promise<Login | null>
  findByHash(loginHash: string): Promise<Login | null>
  /** Those of a user that live, newest first. */
  list(user: string): Promise<Login[]>
  /** Writes down that it was used now; @returns whether there was anything to write. */
  use(login: Login): Promise<boolean>
  end(loginHash: string): Promise<void>
}

/** Logins are reference tokens: ending one is removing its row, and each request sees that. */
export function createLogins(deps: {
  identity: IdentityStore
  now: () => Date
  hashToken: HashToken
}): Logins {
  const { identity, now, hashToken } = deps
  const isIdle = ({ usedAt }: Login): boolean => now().getTime() - usedAt.getTime() >= LOGIN_IDLE_MS

  async function findByHash(loginHash: string): Promise<Login | null> {
    const login = await identity.logins.find(loginHash, now())
    if (login === null || !isIdle(login)) return login
    await noteUse(() => identity.logins.remove(loginHash))
    return null
  }

  return {
    async begin({ user, method, userAgent, apiToken }) {
      const token = createToken()
      const createdAt = now()
      const { sessionLifetimeInDays } = await identity.settings.get()
      const endMs = Math.min(
        createdAt.getTime() + sessionLifetimeInDays * DAY_MS,
        apiToken?.expiresAt.getTime() ?? Infinity,
      )
      const login: Login = {
        id: randomBytes(8).toString('hex'),
        tokenHash: hashToken(token),
        user,
        method,
        apiTokenId: apiToken?.id ?? null,
        // Shown to people: no control characters.
        userAgent: userAgent.replace(/[^\x20-\x7e]/g, '').slice(0, USER_AGENT_CHARS_MAX),
        createdAt,
        expiresAt: new Date(endMs),
        usedAt: createdAt,
      }
      await identity.logins.create(login)
      return { token, login }
    },
    async find(token) {
      return TOKEN.test(token) ? findByHash(hashToken(token)) : null
    },
    findByHash,
    async list(user) {
      return (await identity.logins.list(user, now())).filter((login) => !isIdle(login))
    },
    async use({ tokenHash, usedAt }) {
      const at = now()
      if (at.getTime() - usedAt.getTime() < USE_GRANULARITY_MS) return false
      await identity.logins.touch(tokenHash, at)
      return true
    },
    end: (loginHash) => identity.logins.remove(loginHash),
  }
}
