/** How payloads travel: as they are, compressed, or kept in the claim bucket. */
import { createHash } from 'node:crypto'
import {
  type Claim,
  claimScope,
  ENCODING,
  type Encoding,
  type Envelope,
  HOUR_MS,
  MiB,
  MINUTE_MS,
} from '@kre/contracts/runtime'
import {
  type ClaimStore,
  compress,
  decompress,
  inlineBytesMax,
  isWorthCompressing,
} from '@kre/core-nats'

/** Limit of one message where the launch file names none; what a worker's frame holds. */
export const PAYLOAD_BYTES_MAX = 64 * MiB
/** After the deadline nobody reads a claim; the clocks of hosts may differ by so much. */
const EXPIRY_SLACK_MS = MINUTE_MS

type Form = {
  readonly encoding: Encoding
  readonly value: Uint8Array
  readonly claim: Claim | null
}

export type PayloadForms = {
  /** Whether the message can be sent as it is. */
  isPlain(envelope: Envelope): boolean
  /**
   * The message as it travels. A payload that came is sent on in the form it came in.
   *
   * @param parent the message that is being handled.
   * @throws KreError as `ClaimStore.write`.
   */
  pack(envelope: Envelope, parent: Envelope): Promise<Envelope>
  /** Brings a payload into the message. @throws KreError as `ClaimStore.read` and `decompress`. */
  unpack(envelope: Envelope): Promise<void>
}

/** @param maxPayload of the server, in bytes. */
export function createPayloadForms(
  claims: ClaimStore,
  maxPayload: () => number,
  payloadBytesMax: number,
): PayloadForms {
  /** In which form a payload came, by its bytes: forwarding it costs nothing then. */
  const received = new WeakMap<Uint8Array, Form>()

  const keep = async (value: Uint8Array, encoding: Encoding, parent: Envelope): Promise<Claim> => {
    const came = received.get(parent.value)
    const claim = came?.claim ?? null
    // A worker hands back equal bytes and not the same ones.
    if (claim !== null && came?.encoding === encoding && isOf(claim, value)) return claim
    const { deadlineUnixMs, replyTo } = parent
    const expiresUnixMs =
      deadlineUnixMs === 0 ? Date.now() + HOUR_MS : deadlineUnixMs + EXPIRY_SLACK_MS
    return claims.write(value, claimScope(replyTo), expiresUnixMs)
  }

  return {
    // Compressing costs more than carrying what the server carries at once.
    isPlain: ({ value }) => value.length <= inlineBytesMax(maxPayload()),
    async pack(envelope, parent) {
      const came = received.get(envelope.value)
      if (came !== undefined) return withForm(envelope, came)
      let { value } = envelope
      let encoding: Encoding = ENCODING.none
      if (isWorthCompressing(value)) {
        value = await compress(value)
        encoding = ENCODING.gzip
      }
      if (value.length <= inlineBytesMax(maxPayload())) return { ...envelope, value, encoding }
      const claim = await keep(value, encoding, parent)
      return withForm(envelope, { value: NO_BYTES, encoding, claim })
    },
    async unpack(envelope) {
      const { value, encoding, claim } = envelope
      let whole = value
      if (claim !== null) whole = await claims.read(claim, payloadBytesMax)
      if (encoding === ENCODING.gzip) whole = await decompress(whole, payloadBytesMax)
      received.set(whole, { value, encoding, claim })
      envelope.value = whole
      envelope.encoding = ENCODING.none
      envelope.hasClaims ||= claim !== null
      envelope.claim = null
    },
  }
}

const NO_BYTES = new Uint8Array(0)

function withForm(envelope: Envelope, form: Form): Envelope {
  return { ...envelope, ...form, hasClaims: envelope.hasClaims || form.claim !== null }
}

function isOf(claim: Claim, value: Uint8Array): boolean {
  return (
    claim.size === value.length && claim.sha256 === createHash('sha256').update(value).digest('hex')
  )
}
