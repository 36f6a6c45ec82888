import type { RequestHeaders } from '../http2/request-headers.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The caller's own id for the request, when it is a uuid. */
export function requestIdOf(headers: RequestHeaders): string | null {
  const given = headers.get('x-request-id')
  return given !== undefined && UUID.test(given) ? given.toLowerCase() : null
}

const NO_METADATA: Record<string, string> = {}

/** What travels with a request: the trace, and metadata under KRE's prefix. Everything else stays at the door. */
export function requestMetadata({ pairs }: RequestHeaders): Record<string, string> {
  let metadata = NO_METADATA
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] as string
    if (name !== 'traceparent' && !name.startsWith('x-krt-')) continue
    if (metadata === NO_METADATA) metadata = {}
    const value = pairs[i + 1] as string
    const before = metadata[name]
    metadata[name] = before === undefined ? value : `${before}, ${value}`
  }
  return metadata
}
