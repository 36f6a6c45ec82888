/** The header blocks of a call that is answered, encoded once. */
import { encodeHeaders } from '../http2/hpack-encoder.ts'

const FIELDS: [string, string][] = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
]
const ACCEPT_ENCODING: [string, string] = ['grpc-accept-encoding', 'identity,gzip']

export const OK_HEADERS = encodeHeaders([...FIELDS, ACCEPT_ENCODING])
export const OK_GZIP_HEADERS = encodeHeaders([
  ...FIELDS,
  ACCEPT_ENCODING,
  ['grpc-encoding', 'gzip'],
])
export const STREAM_HEADERS = encodeHeaders(FIELDS)

const OK_STATUS = encodeHeaders([['grpc-status', '0']])
const UUID_CHARS = 36
/** Everything but the id itself, which is a uuid and needs no encoder. */
const OK_STATUS_AND_ID = encodeHeaders([
  ['grpc-status', '0'],
  ['request-id', '0'.repeat(UUID_CHARS)],
])

/** @param requestId a uuid; empty = the call has none. */
export function okTrailers(requestId: string): Uint8Array {
  if (requestId === '') return OK_STATUS
  const block = Buffer.allocUnsafe(OK_STATUS_AND_ID.length)
  block.set(OK_STATUS_AND_ID)
  block.write(requestId, block.length - UUID_CHARS, 'latin1')
  return block
}
