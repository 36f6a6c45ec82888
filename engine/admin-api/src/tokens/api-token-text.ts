import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { createToken } from '../sign-in/tokens.ts'

const ID_BYTES = 6
const API_TOKEN = /^(krt_([0-9a-f]{12})_[A-Za-z0-9_-]{43})_([0-9a-f]{8})$/

/** What every API token begins with: scanners of repositories look for it. */
export const API_TOKEN_PREFIX = 'krt_'

/** A new API token, `krt_<id>_<43 characters>_<crc>`: 256 random bits, and a checksum that catches slips before any look-up. */
export function createApiToken(): { id: string; token: string } {
  const id = randomBytes(ID_BYTES).toString('hex')
  const body = `${API_TOKEN_PREFIX}${id}_${createToken()}`
  return { id, token: `${body}_${checksum(body)}` }
}

/** The id inside of an API token; null when the text is none. */
export function apiTokenId(text: string): string | null {
  const [, body, id, crc] = API_TOKEN.exec(text) ?? []
  return body !== undefined && id !== undefined && crc === checksum(body) ? id : null
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0')
}
