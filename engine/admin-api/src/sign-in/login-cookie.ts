import { SECOND_MS } from '@kre/contracts'

/** Names a login's token arrives under: bound to this very origin by the browser, which needs https; and for loopback. */
export const LOGIN_COOKIES = ['__Host-kre', 'kre_session'] as const
/** Names of the secret by which a browser shows that it asked for a sign-in link. */
export const ASKED_COOKIES = ['__Host-kre-asked', 'kre_asked'] as const
/** Names of what a sign-in at an identity provider is to come back with. */
export const OIDC_COOKIES = ['__Host-kre-oidc', 'kre_oidc'] as const

/** Hands a login's token to the browser, for as long as the login can last. */
export function setLoginCookie(
  token: string,
  { createdAt, expiresAt }: { createdAt: Date; expiresAt: Date },
  publicUrl: string,
): string {
  return setCookie(LOGIN_COOKIES, token, publicUrl, expiresAt.getTime() - createdAt.getTime())
}

type CookieNames = readonly [secure: string, loopback: string]

/**
 * A `Set-Cookie` for our pages alone, out of reach of scripts. `Lax`: it comes with links from mails and from identity
 * providers; what changes anything is guarded by the request's origin.
 *
 * @param lifetimeMs 0 makes the browser forget it.
 */
export function setCookie(
  names: CookieNames,
  value: string,
  publicUrl: string,
  lifetimeMs: number,
): string {
  const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${Math.floor(lifetimeMs / SECOND_MS)}`
  return publicUrl.startsWith('https:')
    ? `${names[0]}=${value}; ${attributes}; Secure`
    : `${names[1]}=${value}; ${attributes}`
}
