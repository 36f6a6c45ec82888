/** The headers of tus 1.0 (tus.io/protocols/resumable-upload), read strictly. */
import { getHashes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { KiB } from '@kre/contracts'
import { HttpProblem } from '../http/http-problem.ts'

export const TUS_VERSION = '1.0.0'
export const TUS_EXTENSIONS = 'creation,creation-with-upload,expiration,checksum,termination'
/** tus asks for sha1; weak for signatures, fine for bytes that were damaged on the way. */
export const TUS_CHECKSUMS = ['sha1', 'sha256'].filter((name) => getHashes().includes(name))
const METADATA_BYTES_MAX = 4 * KiB

/** @throws HttpProblem 412 for another version of the protocol, and for none. */
export function requireTus(headers: IncomingHttpHeaders): void {
  if (headers['tus-resumable'] === TUS_VERSION) return
  throw new HttpProblem(
    'failed-precondition',
    { status: 412, wireCode: 'tus_version', headers: { 'Tus-Version': TUS_VERSION } },
    `send the header Tus-Resumable: ${TUS_VERSION}`,
  )
}

/** A count of bytes in decimal digits. @throws HttpProblem 400. */
export function readCount(
  headers: IncomingHttpHeaders,
  name: 'upload-length' | 'upload-offset',
): number {
  const text = headers[name]
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text)
  throw badHeader(name, 'it has to be a number of bytes')
}

export type UploadMetadata = { readonly text: string; readonly sha256: string | null }

/** `key base64,key base64 …`; of the keys only `sha256` means something here: the digest in hexadecimal. */
export function readMetadata(headers: IncomingHttpHeaders): UploadMetadata {
  const text = headers['upload-metadata'] ?? ''
  if (typeof text !== 'string' || text.length > METADATA_BYTES_MAX)
    throw badHeader('upload-metadata', `use at most ${METADATA_BYTES_MAX / KiB} KiB`)
  const values = new Map<string, string>()
  for (const pair of text === '' ? [] : text.split(',')) {
    const [, key, value = ''] = /^\s*([^\s,]+)(?: ([A-Za-z0-9+/]*={0,2}))?\s*$/.exec(pair) ?? []
    if (key === undefined || values.has(key))
      throw badHeader('upload-metadata', 'it has to be pairs of a key and its value in base64')
    values.set(key, Buffer.from(value, 'base64').toString('utf8'))
  }
  const sha256 = values.get('sha256') ?? null
  if (sha256 !== null && !/^[0-9a-f]{64}$/.test(sha256))
    throw badHeader('upload-metadata', 'sha256 has to be 64 lower-case hexadecimal digits')
  return { text, sha256 }
}

/** `<algorithm> <base64>`; null when there is none. @throws HttpProblem 400 for an algorithm we don't have. */
export function readChecksum(
  headers: IncomingHttpHeaders,
): { algorithm: string; digest: Buffer } | null {
  const text = headers['upload-checksum']
  if (text === undefined) return null
  const [, algorithm = '', base64 = ''] = /^(\w+) ([A-Za-z0-9+/]+={0,2})$/.exec(String(text)) ?? []
  if (TUS_CHECKSUMS.includes(algorithm)) return { algorithm, digest: Buffer.from(base64, 'base64') }
  throw badHeader('upload-checksum', `use one of ${TUS_CHECKSUMS.join(', ')} and base64`)
}

function badHeader(name: string, rule: string): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 400, wireCode: 'validation_error' },
    `the header ${name} can't be read: ${rule}`,
  )
}
