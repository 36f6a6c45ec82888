import type { IncomingHttpHeaders } from 'node:http'

/** Clients that send neither JSON nor `Sec-Fetch-Site` prove with this header that no plain form or link made the request. */
export const CSRF_HEADER = 'x-kre-csrf'

type RequestHead = {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  /** Origins this API is served under. */
  readonly ownOrigins: readonly string[]
}

/** Whether the browser says that another site's page made the request. */
export function isForeign({ headers, ownOrigins }: Omit<RequestHead, 'method'>): boolean {
  const { origin } = headers
  if (origin !== undefined && !ownOrigins.includes(origin.toLowerCase())) return true
  const site = headers['sec-fetch-site']
  // `same-site` is foreign too: all ports of a laptop are one site. `none` is the user's own doing.
  return site !== undefined && site !== 'same-origin' && site !== 'none'
}

/**
 * Whether a request with a login's cookie was provably made by our own page, or by a program:
 * anything that a foreign page's form, link or image can send is not enough.
 */
export function isProvablyOwn(head: RequestHead): boolean {
  if (isForeign(head)) return false
  const { headers, method } = head
  return (
    headers.origin !== undefined ||
    headers['sec-fetch-site'] === 'same-origin' ||
    headers[CSRF_HEADER] !== undefined ||
    // Browsers ask before they send these across origins, and we never answer that question.
    method === 'PUT' ||
    mediaType(headers) === 'application/json'
  )
}

/** Media type of the body in lower case, without parameters; empty when there is none. */
export function mediaType(headers: IncomingHttpHeaders): string {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
}

/** Origins this API is served under: the one the request came to, and the public one when a proxy is in front. */
export function ownOrigins(headers: IncomingHttpHeaders, publicUrl: string): string[] {
  const publicOrigin = URL.parse(publicUrl)?.origin
  const direct = `http://${(headers.host ?? '').toLowerCase()}`
  return publicOrigin === undefined ? [direct] : [direct, publicOrigin]
}
