/** How payloads travel: as they are, compressed, or kept in the claim bucket. */
import {
  type Claim,
  ENCODING,
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
   * The message as it travels. A payload that came is sent on in the form it came in: it is neither compressed nor kept
   * once more.
   *
   * @param parent the message that is being handled.
   * @throws KreError as `ClaimStore.write`.
   */
  pack(envelope: Envelope, parent: Envelope): Promise<Envelope>
  /** Brings a payload into the message. @throws KreError as `ClaimStore.read` and `decompress`. */
  unpack(envelope: Envelope): Promise<void>
}

/** In which form a payload came to this process, by its bytes; nodes that share the process hand it to each other. */
const received = new WeakMap<Uint8Array, PayloadForm>()

/**
 * @param version whose nodes may read what is kept.
 * @param maxPayload of the server, in bytes.
 */
export function createPayloadForms(
  claims: ClaimStore,
  version: string,
  maxPayload: () => number,
  payloadBytesMax: number,
): PayloadForms {
  const keep = (value: Uint8Array, { deadlineUnixMs, replyTo }: Envelope): Promise<Claim> => {
    const expiresUnixMs =
      deadlineUnixMs === 0 ? Date.now() + HOUR_MS : deadlineUnixMs + EXPIRY_SLACK_MS
    return claims.write(value, { replyTo, version }, expiresUnixMs)
  }

  return {
    isPlain: ({ value }) => isPlainPayload(value, maxPayload()),
    async pack(envelope, parent) {
      const form =
        formOf(envelope.value, parent.value) ??
        (await packPayload(envelope.value, maxPayload(), (value) => keep(value, parent)))
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

/** A worker hands back equal bytes and not the same ones; so does a handler that encodes what it has decoded. */
function formOf(value: Uint8Array, came: Uint8Array): PayloadForm | undefined {
  const isSame = value === came || Buffer.compare(value, came) === 0
  return received.get(isSame ? came : value)
}
