import { MINUTE_MS } from '@kre/contracts'
import { z } from 'zod'
import { equalHashes, type HashToken } from '../sign-in/tokens.ts'
import type { OidcRequest } from './identity-provider.ts'

/** People type passwords and look for second factors meanwhile. */
export const OIDC_REQUEST_MS = 10 * MINUTE_MS

const text = z.string().min(20).max(200)
const Payload = z.object({ state: text, nonce: text, verifier: text, expiresAtMs: z.number() })

/** What the browser keeps of a sign-in that it began: signed, so that it can't be made up elsewhere. */
export function sealRequest(request: OidcRequest, now: Date, hashToken: HashToken): string {
  const payload = { ...request, expiresAtMs: now.getTime() + OIDC_REQUEST_MS }
  const body = Buffer.from(JSON.stringify(payload)).toString('base64url')
  return `${body}.${hashToken(`oidc/${body}`)}`
}

/** Null when it was not made here or is too old. */
export function openRequest(sealed: string, now: Date, hashToken: HashToken): OidcRequest | null {
  const [body = '', signature = ''] = sealed.split('.')
  if (!equalHashes(signature, hashToken(`oidc/${body}`))) return null
  const payload = Payload.parse(JSON.parse(Buffer.from(body, 'base64url').toString()))
  return payload.expiresAtMs > now.getTime() ? payload : null
}
