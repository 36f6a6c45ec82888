/** What a server says of itself in an INFO line. */
import { KreError } from '@kre/contracts/runtime'

export type ServerInfo = {
  /** Largest message it takes, headers and payload, in bytes. */
  readonly payloadBytesMax: number
  readonly hasHeaders: boolean
  readonly hasTls: boolean
  /** It is about to stop: clients are asked to go elsewhere. */
  readonly isLameDuck: boolean
  /** To be signed by clients with a key; empty = it asks for none. */
  readonly nonce: string
}

/** The protocol's, for a server that does not say. */
const PAYLOAD_BYTES_MAX = 1024 * 1024

/** @throws KreError `internal` for what is no INFO. */
export function parseInfo(text: string): ServerInfo {
  const info = parseObject(text)
  if (info === null)
    throw new KreError(
      'internal',
      `the NATS server's INFO is no JSON object: ${text.slice(0, 100)}`,
    )
  const { max_payload: bytesMax, nonce } = info
  return {
    payloadBytesMax: typeof bytesMax === 'number' && bytesMax > 0 ? bytesMax : PAYLOAD_BYTES_MAX,
    hasHeaders: info['headers'] === true,
    hasTls: info['tls_required'] === true || info['tls_available'] === true,
    isLameDuck: info['ldm'] === true,
    nonce: typeof nonce === 'string' ? nonce : '',
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...value }
      : null
  } catch {
    return null // refused by the caller, who knows what it should be
  }
}
