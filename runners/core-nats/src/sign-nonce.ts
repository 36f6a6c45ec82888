/** Proves to a server that this process has the key that its JWT is about. */
import { createPrivateKey, sign } from 'node:crypto'
import { KreError } from '@kre/contracts/runtime'

/** DER of a PKCS #8 private key of Ed25519, up to the 32 bytes of the key itself (RFC 8410). */
const PKCS8_START = Buffer.from('302e020100300506032b657004220420', 'hex')
/** Two bytes that say whose key it is, and two of a checksum. */
const SEED_BYTES = 2 + 32 + 2
const SEED = /^SU[A-Z2-7]{56}$/
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/**
 * @param seed nkey seed of a user: `SU…`.
 * @param nonce from the server's INFO.
 * @returns what CONNECT carries as `sig`.
 * @throws KreError `invalid-argument` for what is no seed; the message does not show it.
 */
export function signNonce(seed: string, nonce: string): string {
  if (!SEED.test(seed))
    throw new KreError('invalid-argument', 'the NATS credentials have no seed of a user: SU…')
  const raw = decode(seed).subarray(2, SEED_BYTES - 2)
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_START, raw]),
    format: 'der',
    type: 'pkcs8',
  })
  return sign(null, Buffer.from(nonce), key).toString('base64url')
}

/** Base 32 of RFC 4648. */
function decode(text: string): Buffer {
  const bytes: number[] = []
  let bits = 0
  let value = 0
  for (const letter of text) {
    value = ((value << 5) | ALPHABET.indexOf(letter)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >> bits) & 0xff)
  }
  return Buffer.from(bytes)
}
