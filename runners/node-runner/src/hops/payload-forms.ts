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
  isPlainPayload,
  packPayload,
  type PayloadForm,
  unpackPayload,
} from '@kre/core-nats'

/** Limit of one message where the launch file names none; what a worker's frame holds. */
export const PAYLOAD_BYTES_MAX = 64 * MiB
/** After the deadline nobody reads a claim; the clocks of hosts may differ by so much. */
const EXPIRY_SLACK_MS = MINUTE_MS

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
  const received = new WeakMap<Uint8Array, PayloadForm>()

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
    isPlain: ({ value }) => isPlainPayload(value, maxPayload()),
    async pack(envelope, parent) {
      const form =
        received.get(envelope.value) ??
        (await packPayload(envelope.value, maxPayload(), (value, encoding) =>
          keep(value, encoding, parent),
        ))
      return withForm(envelope, form)
    },
    async unpack(envelope) {
      const { value, encoding, claim } = envelope
      const form = { value, encoding, claim }
      envelope.value = await unpackPayload(form, claims, payloadBytesMax)
      received.set(envelope.value, form)
      envelope.encoding = ENCODING.none
      envelope.hasClaims ||= claim !== null
      envelope.claim = null
    },
  }
}

function withForm(envelope: Envelope, form: PayloadForm): Envelope {
  return { ...envelope, ...form, hasClaims: envelope.hasClaims || form.claim !== null }
}

function isOf(claim: Claim, value: Uint8Array): boolean {
  return (
    claim.size === value.length && claim.sha256 === createHash('sha256').update(value).digest('hex')
  )
}
