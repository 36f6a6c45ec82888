import { MINUTE_MS } from '@kre/contracts'
import type { IdentityStore, LinkUse, SignInLink } from '@kre/store'
import { createToken, TOKEN, type HashToken } from './tokens.ts'

export const SIGN_IN_LINK_MS = 15 * MINUTE_MS
/** Wrong codes after which a link is void: a millionth each is what guessing has. */
const CODE_TRIES = 5

type IssuedLink = { token: string; expiresAt: Date }

export type SignInLinks = {
  /**
   * A link for any browser, handed out on this computer: the user's current one that nobody used yet, or a new one
   * that makes all earlier ones void.
   *
   * @param fresh asks for a new one although there is a current one.
   */
  issue(user: string, fresh: boolean): Promise<IssuedLink & { reused: boolean }>
  /** A link for the browser with the nonce, or for another one with the code. */
  issueBound(link: { token: string; user: string; nonce: string; code: string }): Promise<void>
  /** Whether the link lives and whom it is for, without using it. */
  find(token: string): Promise<SignInLink | null>
  /** Whether the nonce is the one that the link is bound to. */
  isBoundTo(link: SignInLink, nonce: string | null): boolean
  /** Of parallel calls one gets the user. */
  use(token: string, proof: { nonce: string | null; code: string | null }): Promise<LinkUse>
}

/**
 * Single-use links.
 *
 * @NOTE The store keeps hashes only, so current links are kept here to be shown again; after a restart there is
 * none and the next one is new.
 */
export function createSignInLinks(deps: {
  identity: IdentityStore
  now: () => Date
  hashToken: HashToken
}): SignInLinks {
  const { identity, now, hashToken } = deps
  /** By user. Only who holds the development token adds to it. */
  const current = new Map<string, IssuedLink>()
  /** A code proves nothing for any other link. */
  const hashCode = (token: string, code: string): string => hashToken(`code/${token}/${code}`)

  return {
    async issue(user, fresh) {
      const shown = current.get(user)
      if (!fresh && shown !== undefined && shown.expiresAt > now())
        return { ...shown, reused: true }
      const link = { token: createToken(), expiresAt: new Date(now().getTime() + SIGN_IN_LINK_MS) }
      await identity.links.removeOf(user)
      await identity.links.create(
        {
          linkHash: hashToken(link.token),
          user,
          browserHash: null,
          codeHash: null,
          codeTries: CODE_TRIES,
          expiresAt: link.expiresAt,
        },
        now(),
      )
      current.set(user, link)
      return { ...link, reused: false }
    },

    async issueBound({ token, user, nonce, code }) {
      await identity.links.create(
        {
          linkHash: hashToken(token),
          user,
          browserHash: hashToken(nonce),
          codeHash: hashCode(token, code),
          codeTries: CODE_TRIES,
          expiresAt: new Date(now().getTime() + SIGN_IN_LINK_MS),
        },
        now(),
      )
    },

    async find(token) {
      return TOKEN.test(token) ? identity.links.find(hashToken(token), now()) : null
    },

    isBoundTo: ({ browserHash }, nonce) =>
      browserHash === null || (nonce !== null && browserHash === hashToken(nonce)),

    async use(token, { nonce, code }) {
      if (!TOKEN.test(token)) return { outcome: 'void' }
      const proof = {
        browserHash: nonce === null ? null : hashToken(nonce),
        codeHash: code === null ? null : hashCode(token, code),
      }
      const use = await identity.links.use(hashToken(token), proof, now())
      if (use.outcome === 'used' && current.get(use.user)?.token === token) current.delete(use.user)
      return use
    },
  }
}
