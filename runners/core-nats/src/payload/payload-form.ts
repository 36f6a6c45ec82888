/** How a payload travels: as it is, compressed, or kept in the claim bucket. */
import { type Claim, ENCODING, type Encoding } from '@kre/contracts/runtime'
import { type ClaimStore, inlineBytesMax } from './claim-store.ts'
import { compress, decompress, isWorthCompressing } from './compression.ts'

/** What a message carries in place of its plain payload. */
export type PayloadForm = {
  readonly value: Uint8Array
  readonly encoding: Encoding
  readonly claim: Claim | null
}

const NO_BYTES = new Uint8Array(0)

/**
 * Whether a payload is sent as it is: compressing costs more than carrying what the server carries at once.
 *
 * @param maxPayload of the server, in bytes.
 */
export function isPlainPayload(value: Uint8Array, maxPayload: number): boolean {
  return value.length <= inlineBytesMax(maxPayload)
}

/**
 * @param keep puts what the server does not carry at once into the bucket.
 * @throws what `keep` throws.
 */
export async function packPayload(
  plain: Uint8Array,
  maxPayload: number,
  keep: (value: Uint8Array) => Promise<Claim>,
): Promise<PayloadForm> {
  const isCompressed = isWorthCompressing(plain)
  const value = isCompressed ? await compress(plain) : plain
  const encoding = isCompressed ? ENCODING.gzip : ENCODING.none
  if (isPlainPayload(value, maxPayload)) return { value, encoding, claim: null }
  return { value: NO_BYTES, encoding, claim: await keep(value) }
}

/** @throws KreError as `ClaimStore.read` and `decompress`. */
export async function unpackPayload(
  { value, encoding, claim }: PayloadForm,
  claims: ClaimStore,
  bytesMax: number,
): Promise<Uint8Array> {
  const whole = claim === null ? value : await claims.read(claim, bytesMax)
  return encoding === ENCODING.gzip ? decompress(whole, bytesMax) : whole
}
