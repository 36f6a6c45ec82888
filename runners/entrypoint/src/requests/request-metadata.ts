import type { IncomingHttpHeaders } from 'node:http2'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The caller's own id for the request, when it is a uuid. */
export function requestIdOf(headers: IncomingHttpHeaders): string | null {
  const given = headers['x-request-id']
  return typeof given === 'string' && UUID.test(given) ? given.toLowerCase() : null
}

/** What travels with a request: the trace, and metadata under KRE's prefix. Everything else stays at the door. */
export function requestMetadata(headers: IncomingHttpHeaders): Record<string, string> {
  const metadata: Record<string, string> = {}
  for (const name in headers) {
    if (name !== 'traceparent' && !name.startsWith('x-krt-')) continue
    const value = headers[name]
    metadata[name] = typeof value === 'string' ? value : (value ?? []).join(', ')
  }
  return metadata
}
