import { DAY_MS, HOUR_MS } from '@kre/contracts'
import type { Store } from '@kre/store'
import type { Principal } from '../principal.ts'
import { createIdleClock } from './idle-clock.ts'
import { createToken, TOKEN, type HashToken } from './tokens.ts'

/** A login ends after so long without a request … */
export const LOGIN_IDLE_MS = 8 * HOUR_MS
/** … and after so long in any case. */
export const LOGIN_MS = 7 * DAY_MS

export type Logins = {
  /** Starts a login and returns its token, which is not kept. */
  begin(user: string): Promise<string>
  /** Who the token belongs to, as a use of the login; null = unknown or over. */
  resume(token: string): Promise<Principal | null>
  /** Whether the login lives, without using it. */
  isAlive(loginHash: string): Promise<boolean>
  end(loginHash: string): Promise<void>
}

/** Logins are reference tokens: ending one is removing its row. */
export function createLogins(
  deps: Pick<Store, 'identity'> & { now: () => Date; hashToken: HashToken },
): Logins {
  const idle = createIdleClock(deps.now, LOGIN_IDLE_MS)

  async function end(loginHash: string): Promise<void> {
    idle.forget(loginHash)
    await deps.identity.removeLogin(loginHash)
  }

  return {
    async begin(user) {
      const token = createToken()
      const createdAt = deps.now()
      const expiresAt = new Date(createdAt.getTime() + LOGIN_MS)
      const tokenHash = deps.hashToken(token)
      await deps.identity.createLogin({ tokenHash, user, createdAt, expiresAt })
      idle.touch(tokenHash)
      return token
    },

    async resume(token) {
      if (!TOKEN.test(token)) return null
      const loginHash = deps.hashToken(token)
      const login = await deps.identity.findLogin(loginHash, deps.now())
      if (login === null) return null
      if (idle.isIdle(loginHash)) {
        await end(loginHash)
        return null
      }
      idle.touch(loginHash)
      return { email: login.user, accessLevel: 'ADMIN', loginHash }
    },

    async isAlive(loginHash) {
      if (idle.isIdle(loginHash)) return false
      return (await deps.identity.findLogin(loginHash, deps.now())) !== null
    },

    end,
  }
}
