import { MINUTE_MS } from '@kre/contracts'
import type { Store } from '@kre/store'
import { LOCAL_OWNER } from '../principal.ts'
import { createToken, TOKEN, type HashToken } from './tokens.ts'

export const SIGN_IN_LINK_MS = 15 * MINUTE_MS

export type SignInLinks = {
  /**
   * The token of a link that nobody used yet: the current one, or a new one that makes the current one void.
   *
   * @param fresh asks for a new one although there is a current one.
   */
  issue(fresh: boolean): Promise<{ token: string; expiresAt: Date; reused: boolean }>
  /** The user behind the link. Of parallel calls one gets it; null = unknown, used or expired. */
  consume(token: string): Promise<string | null>
}

/**
 * Single-use links of the local owner.
 *
 * @NOTE The store keeps hashes only, so the current link is kept here to be shown again; after a restart there is
 * none and the next one is new.
 */
export function createSignInLinks(
  deps: Pick<Store, 'identity'> & { now: () => Date; hashToken: HashToken },
): SignInLinks {
  let current: { token: string; expiresAt: Date } | null = null

  return {
    async issue(fresh) {
      if (!fresh && current !== null && current.expiresAt > deps.now())
        return { ...current, reused: true }
      const link = {
        token: createToken(),
        expiresAt: new Date(deps.now().getTime() + SIGN_IN_LINK_MS),
      }
      current = link
      await deps.identity.removeSignInLinks()
      await deps.identity.createSignInLink(deps.hashToken(link.token), LOCAL_OWNER, link.expiresAt)
      return { ...link, reused: false }
    },

    async consume(token) {
      if (!TOKEN.test(token)) return null
      const user = await deps.identity.consumeSignInLink(deps.hashToken(token), deps.now())
      if (current?.token === token) current = null
      return user
    },
  }
}
