import type { IncomingHttpHeaders } from 'node:http'
import { KreError } from '@kre/contracts'

/** `sha-256=:<base64>:` among other algorithms (RFC 9530, a dictionary of byte sequences). */
const SHA256 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/

/**
 * The sha256 that the client gives for the body: `Repr-Digest` or `Content-Digest`; null when it gives none.
 *
 * @throws KreError `invalid-argument` for a digest that can't be read: who sends one wants it checked.
 */
export function readDigestHeader(headers: IncomingHttpHeaders): string | null {
  for (const name of ['repr-digest', 'content-digest']) {
    const value = headers[name]
    if (value === undefined) continue
    const base64 = SHA256.exec(String(value))?.[1]
    if (base64 !== undefined) return Buffer.from(base64, 'base64').toString('hex')
    throw new KreError(
      'invalid-argument',
      `the header ${name} has no sha256: send it as sha-256=:<base64>: (RFC 9530), or leave it away`,
      { header: name },
    )
  }
  return null
}
