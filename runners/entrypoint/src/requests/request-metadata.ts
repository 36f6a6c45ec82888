import type { RequestHeaders } from '../http2/request-headers.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The caller's own id for the request, when it is a uuid. */
export function requestIdOf(headers: RequestHeaders): string | null {
  const given = headers.get('x-request-id')
  return given !== undefined && UUID.test(given) ? given.toLowerCase() : null
}

const NO_METADATA: Record<string, string> = {}
/** W3C trace context asks for as much of it to be handed on. */
const TRACESTATE_CHARS_MAX = 512

/** What travels with a request: the trace, and metadata under KRE's prefix. Everything else stays at the door. */
export function requestMetadata({ pairs }: RequestHeaders): Record<string, string> {
  let metadata = NO_METADATA
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] as string
    const isTrace = name === 'traceparent' || name === 'tracestate'
    if (!isTrace && !name.startsWith('x-krt-')) continue
    if (metadata === NO_METADATA) metadata = {}
    const value = pairs[i + 1] as string
    const before = metadata[name]
    metadata[name] = before === undefined ? value : `${before}, ${value}`
  }
  return metadata === NO_METADATA ? metadata : withoutBrokenTrace(metadata)
}

/** A trace that can't be read is none, and its state means nothing without it. */
function withoutBrokenTrace(metadata: Record<string, string>): Record<string, string> {
  const { traceparent, tracestate, ...rest } = metadata
  if (traceparent === undefined && tracestate === undefined) return metadata
  if (traceparent === undefined || !TRACEPARENT.test(traceparent)) return rest
  if (tracestate === undefined || tracestate.length <= TRACESTATE_CHARS_MAX) return metadata
  return { ...rest, traceparent }
}

/** Of version 00, or of a later one with more behind it; neither id is all zeros. */
const TRACEPARENT =
  /^(?:00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)$/
