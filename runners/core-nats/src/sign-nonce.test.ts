import { describe, expect, test } from '@jest/globals'
import { createPublicKey, verify } from 'node:crypto'
import { signNonce } from './sign-nonce.ts'

/** A user that nothing trusts. */
const SEED = 'SUAOMSEQJCSPOLM74ARXDU72VFCWMGAE2XPDHZJCRV7DXRHLKL7ARG7MIM'
const PUBLIC_KEY = 'UCI2TDFHQIYHUKTAPXSHHFT2MVHAVDIQUZPFXUDRYSNFQFTHMAMROE62'

/** The 32 bytes behind the first letter. */
function rawKey(text: string): Buffer {
  const bits = Array.from(text, (letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  ).join('')
  const bytes = bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []
  return Buffer.from(bytes).subarray(1, 33)
}

describe('signing a nonce', () => {
  test('proves that the key of the seed was there', () => {
    const x = rawKey(PUBLIC_KEY).toString('base64url')
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    const signature = Buffer.from(signNonce(SEED, 'a nonce'), 'base64url')
    expect(verify(null, Buffer.from('a nonce'), key, signature)).toBe(true)
    expect(verify(null, Buffer.from('another'), key, signature)).toBe(false)
  })

  test.each(['', 'SU', SEED.slice(1), `${SEED}A`, SEED.toLowerCase(), SEED.replace('SU', 'SA')])(
    'refuses %p without showing it',
    (seed) => expect(() => signNonce(seed, 'n')).toThrow(/have no seed of a user: SU…$/),
  )
})
