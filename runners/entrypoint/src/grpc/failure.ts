/** How a failed call looks on the wire (grpc/doc/statuscodes.md, google/rpc/error_details.proto). */
import { type ErrorCode, GRPC_STATUS, ProtoWriter } from '@kre/contracts/runtime'
import { encodeHeaders } from '../http2/hpack-encoder.ts'

/** What a caller is told when a call fails. */
export type Failure = {
  readonly status: number
  /** What, where, why, what to do. */
  readonly message: string
  /** For machines: UPPER_SNAKE_CASE, `reason` of google.rpc.ErrorInfo. */
  readonly reason: string
  readonly workflow?: string | undefined
  readonly node?: string | undefined
  /** When to come back; only where a retry is safe and can help. */
  readonly retryAfterMs?: number
}

/** When a caller that was turned away for lack of room may come back. */
export const RETRY_AFTER_MS = 100
/** Longest text in `grpc-message`, in characters: some clients refuse more than 8 KiB of headers. */
const MESSAGE_CHARS_MAX = 2_000
const DETAIL_CHARS_MAX = 500
const ENCODED_CHARS_MAX = 4_000

export function createFailure(
  code: ErrorCode,
  reason: string,
  message: string,
  more: Pick<Failure, 'workflow' | 'node' | 'retryAfterMs'> = {},
): Failure {
  return { status: GRPC_STATUS[code], reason, message, ...more }
}

/** The bytes that the process holds of requests are as many as it may. */
export function noRoomForRequest(): Failure {
  return createFailure(
    'resource-exhausted',
    'BYTES_IN_FLIGHT',
    'the entrypoint holds as many request bytes as it may: try again',
    { retryAfterMs: RETRY_AFTER_MS },
  )
}

/** The one header block of a call that ends without an answer. */
export function failureHeaders(failure: Failure, requestId: string): Buffer {
  return encodeHeaders([
    [':status', '200'],
    ['content-type', 'application/grpc'],
    ...failureFields(failure, requestId),
  ])
}

/** The header block that ends a response in failure. */
export function failureTrailers(failure: Failure, requestId: string): Buffer {
  return encodeHeaders(failureFields(failure, requestId))
}

/** @param requestId empty when the call was refused before it had one. */
export function failureFields(
  failure: Failure,
  requestId: string,
): [name: string, value: string][] {
  const fields: [string, string][] = [
    ['grpc-status', String(failure.status)],
    ['grpc-message', encodeGrpcMessage(shorten(failure.message, MESSAGE_CHARS_MAX))],
    ['grpc-status-details-bin', statusDetails(failure, requestId).toString('base64')],
  ]
  if (requestId !== '') fields.push(['request-id', requestId])
  if (failure.retryAfterMs !== undefined) {
    fields.push(['retry-after-ms', String(failure.retryAfterMs)])
    fields.push(['grpc-retry-pushback-ms', String(failure.retryAfterMs)])
  }
  return fields
}

/** Percent-encodes all but printable ASCII, as the header `grpc-message` wants it. */
export function encodeGrpcMessage(text: string): string {
  if (/^[\x20-\x24\x26-\x7e]*$/.test(text)) return text
  let encoded = ''
  for (const character of text) {
    // The end of a long foreign text is worth less than a header that the client accepts.
    if (encoded.length >= ENCODED_CHARS_MAX) break
    encoded += /[\x20-\x24\x26-\x7e]/.test(character) ? character : percentEncode(character)
  }
  return encoded
}

function percentEncode(character: string): string {
  return Buffer.from(character).toString('hex').toUpperCase().replaceAll(/../g, '%$&')
}

/** google.rpc.Status with one google.rpc.ErrorInfo. */
function statusDetails(failure: Failure, requestId: string): Buffer {
  const info = new ProtoWriter(256)
  info.string(1, failure.reason)
  info.string(2, 'kre')
  const metadata = { node: failure.node, workflow: failure.workflow, requestId }
  for (const [key, value] of Object.entries(metadata)) {
    if (value === undefined || value === '') continue
    const entry = info.beginMessage(3)
    info.string(1, key)
    info.string(2, value)
    info.endMessage(entry)
  }
  const status = new ProtoWriter(512)
  status.uint(1, failure.status)
  status.string(2, shorten(failure.message, DETAIL_CHARS_MAX))
  const any = status.beginMessage(3)
  status.string(1, 'type.googleapis.com/google.rpc.ErrorInfo')
  status.bytes(2, info.finish())
  status.endMessage(any)
  return Buffer.from(status.finish())
}

function shorten(text: string, charsMax: number): string {
  const whole = text.toWellFormed()
  return whole.length <= charsMax ? whole : `${whole.slice(0, charsMax).toWellFormed()}…`
}
