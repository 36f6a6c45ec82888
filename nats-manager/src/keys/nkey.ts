/**
 * Key pairs as NATS writes them: Ed25519, in base 32, with the kind of holder in front and a checksum behind. Made with
 * Node's own Ed25519: the script that the NATS libraries bring takes a hundred times as long for each signature.
 */
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign as signBytes,
} from 'node:crypto'
import { KreError } from '@kre/contracts'

export type HolderKind = 'operator' | 'account' | 'user'
export type KeyPair = {
  readonly kind: HolderKind
  /** `O…`, `A…` or `U…`. */
  readonly publicKey: string
  /** `SO…`, `SA…` or `SU…`. Secret. */
  readonly seed: string
  sign(text: string): Buffer
}

/** Each is five bits that become the first letter. */
const PREFIX: Readonly<Record<HolderKind, number>> = {
  operator: 14 << 3,
  account: 0,
  user: 20 << 3,
}
const SEED_PREFIX = 18 << 3
const RAW_BYTES = 32
const CHECKSUM_BYTES = 2
/** DER of a PKCS #8 private key of Ed25519, up to the 32 bytes of the key itself (RFC 8410). */
const PKCS8_START = Buffer.from('302e020100300506032b657004220420', 'hex')

export function createKeyPair(kind: HolderKind): KeyPair {
  return keyPairOf(kind, randomBytes(RAW_BYTES))
}

/** The same keys for the same 32 bytes. @throws KreError `invalid-argument` for another number of them. */
export function keyPairFromBytes(kind: HolderKind, raw: Uint8Array): KeyPair {
  if (raw.length !== RAW_BYTES)
    throw new KreError(
      'invalid-argument',
      `a key of NATS is made of ${RAW_BYTES} bytes, not ${raw.length}`,
    )
  return keyPairOf(kind, raw)
}

/** @throws KreError `invalid-argument` for what is no seed, or of another kind; the message does not show it. */
export function keyPairFromSeed(kind: HolderKind, seed: string): KeyPair {
  const bytes = decodeBase32(seed)
  const body = bytes.subarray(0, -CHECKSUM_BYTES)
  const isWhole =
    body.length === RAW_BYTES + 2 &&
    checksum(body) === bytes.readUInt16LE(body.length) &&
    body.subarray(0, 2).equals(seedPrefix(kind))
  if (!isWhole)
    throw new KreError('invalid-argument', `this is no seed of a NATS ${kind}: it is damaged`)
  return keyPairOf(kind, body.subarray(2))
}

function keyPairOf(kind: HolderKind, raw: Uint8Array): KeyPair {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_START, raw]),
    format: 'der',
    type: 'pkcs8',
  })
  return {
    kind,
    publicKey: encode(Buffer.of(PREFIX[kind]), rawPublicKey(key)),
    seed: encode(seedPrefix(kind), raw),
    sign: (text) => signBytes(null, Buffer.from(text), key),
  }
}

function rawPublicKey(key: KeyObject): Buffer {
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  return Buffer.from(x ?? '', 'base64url')
}

/** The five bits of the seed, then those of the kind, over two bytes. */
function seedPrefix(kind: HolderKind): Buffer {
  return Buffer.of(SEED_PREFIX | (PREFIX[kind] >> 5), (PREFIX[kind] & 31) << 3)
}

function encode(prefix: Uint8Array, raw: Uint8Array): string {
  const body = Buffer.concat([prefix, raw])
  const check = Buffer.alloc(CHECKSUM_BYTES)
  check.writeUInt16LE(checksum(body))
  return encodeBase32(Buffer.concat([body, check]))
}

/** CRC-16 of XMODEM. */
function checksum(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  }
  return crc & 0xffff
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4648 without padding. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(value >> (bits - 5)) & 31]
  }
  return bits === 0 ? text : text + ALPHABET[(value << (5 - bits)) & 31]
}

/** What is no digit ends it: the checksum tells. */
function decodeBase32(text: string): Buffer {
  const bytes: number[] = []
  let bits = 0
  let value = 0
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter)
    if (digit === -1) break
    value = ((value << 5) | digit) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >> bits) & 0xff)
  }
  return Buffer.from(bytes)
}
