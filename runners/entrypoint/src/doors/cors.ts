/** Which browsers' pages may read answers (fetch.spec.whatwg.org, CORS); none unless the operator names them. */
import type { RequestHeaders } from '../http2/request-headers.ts'
import type { HeaderFields } from './door-port.ts'

export type Cors = {
  /** For every answer to this request. */
  fields(request: RequestHeaders): HeaderFields
  /** The answer to a question of what would be allowed; null = it is none, or nothing would be. */
  preflight(request: RequestHeaders): HeaderFields | null
}

const EXPOSED = [
  'grpc-status',
  'grpc-message',
  'grpc-status-details-bin',
  'request-id',
  'x-request-id',
  'retry-after',
  'retry-after-ms',
  'inference-header-content-length',
].join(', ')
/** A browser may remember the answer for so long, in seconds. */
const MAX_AGE_S = '600'
/** Header names, as a browser lists them. */
const NAMES = /^[\w-]+(?:\s*,\s*[\w-]+)*$/

/** @param origins such as `https://shop.example`; `*` = any. */
export function createCors(origins: readonly string[]): Cors {
  const isAny = origins.includes('*')
  const allowed = new Set(origins)
  const grant = (request: RequestHeaders): [string, string][] | null => {
    const origin = request.get('origin')
    if (origin === undefined || !(isAny || allowed.has(origin))) return null
    return [
      ['access-control-allow-origin', isAny ? '*' : origin],
      ['access-control-expose-headers', EXPOSED],
    ]
  }
  return {
    fields(request) {
      if (origins.length === 0) return []
      // A cache must not show one origin's answer to another.
      return [...(grant(request) ?? []), ...(isAny ? [] : [['vary', 'origin'] as const])]
    },
    preflight(request) {
      const method = request.get('access-control-request-method')
      if (request.method !== 'OPTIONS' || method === undefined) return null
      const granted = grant(request)
      if (granted === null) return null
      const names = request.get('access-control-request-headers') ?? ''
      return [
        ['access-control-allow-methods', 'GET, HEAD, POST, PUT, PATCH, DELETE'],
        ...(NAMES.test(names) ? [['access-control-allow-headers', names] as const] : []),
        ['access-control-max-age', MAX_AGE_S],
      ]
    },
  }
}
