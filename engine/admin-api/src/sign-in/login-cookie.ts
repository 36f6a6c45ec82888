import { SECOND_MS } from '@kre/contracts'
import { LOGIN_MS } from './logins.ts'

/** Bound to this very origin by the browser; needs https. */
const SECURE_COOKIE = '__Host-kre'
/** For `http://127.0.0.1`, where browsers refuse the other one. */
const LOOPBACK_COOKIE = 'kre_session'

/** Names a login's token arrives under, the stronger one first. */
export const LOGIN_COOKIES = [SECURE_COOKIE, LOOPBACK_COOKIE] as const

/** `Set-Cookie` that hands a login's token to the browser. */
export function loginCookie(token: string, publicUrl: string): string {
  return format(token, publicUrl, LOGIN_MS / SECOND_MS)
}

/** `Set-Cookie` that makes the browser forget it. */
export function noLoginCookie(publicUrl: string): string {
  return format('', publicUrl, 0)
}

function format(value: string, publicUrl: string, maxAgeSeconds: number): string {
  const attributes = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}`
  return publicUrl.startsWith('https:')
    ? `${SECURE_COOKIE}=${value}; ${attributes}; Secure`
    : `${LOOPBACK_COOKIE}=${value}; ${attributes}`
}
