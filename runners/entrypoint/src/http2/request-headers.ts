/** The header list of one request: the pseudo-headers by name, the rest in the order of arrival. */
export class RequestHeaders {
  method = ''
  scheme = ''
  path = ''
  authority = ''
  /** Name, value, name, value … without pseudo-headers. */
  readonly pairs: string[] = []

  /** The first value of a header; undefined when there is none. Names are in lower case. */
  get(name: string): string | undefined {
    const { pairs } = this
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return pairs[i + 1]
    return undefined
  }
}

/** Headers of HTTP/1 connections, which have no meaning here (RFC 9113, 8.2.2). */
const CONNECTION_HEADERS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/**
 * Sorts the fields of a decoded header block into a request.
 *
 * @param fields name, value, name, value …
 * @returns null when the request is malformed (RFC 9113, 8.3).
 */
export function toRequest(fields: readonly string[]): RequestHeaders | null {
  const headers = new RequestHeaders()
  let at = 0
  for (; at < fields.length; at += 2) {
    const name = fields[at] as string
    if (name.charCodeAt(0) !== 58) break // ":"
    const value = fields[at + 1] as string
    if (value === '' || !setPseudo(headers, name, value)) return null
  }
  if (headers.method === '' || headers.scheme === '' || headers.path === '') return null
  for (; at < fields.length; at += 2) {
    const name = fields[at] as string
    const value = fields[at + 1] as string
    if (name.charCodeAt(0) === 58 || CONNECTION_HEADERS.has(name)) return null
    if (name === 'te' && value !== 'trailers') return null
    headers.pairs.push(name, value)
  }
  return headers
}

/** Trailers hold no pseudo-headers (RFC 9113, 8.1). */
export function areTrailers(fields: readonly string[]): boolean {
  for (let at = 0; at < fields.length; at += 2)
    if ((fields[at] as string).charCodeAt(0) === 58) return false
  return true
}

function setPseudo(headers: RequestHeaders, name: string, value: string): boolean {
  switch (name) {
    case ':method':
      if (headers.method !== '') return false
      headers.method = value
      return true
    case ':scheme':
      if (headers.scheme !== '') return false
      headers.scheme = value
      return true
    case ':path':
      if (headers.path !== '') return false
      headers.path = value
      return true
    case ':authority':
      if (headers.authority !== '') return false
      headers.authority = value
      return true
    default:
      return false
  }
}

/** What is known of a request whose header list is too long to be kept. */
export function incompleteRequest(fields: readonly string[]): RequestHeaders {
  const headers = new RequestHeaders()
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== 'content-type') continue
    headers.pairs.push('content-type', fields[at + 1] as string)
    break
  }
  return headers
}
