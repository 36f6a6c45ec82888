import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeBase64Pieces } from './base64-pieces.ts'

const decode = (text: string) => decodeBase64Pieces(Buffer.from(text, 'latin1'))

describe('base64 in pieces', () => {
  test('is read whole, however it was cut before it was encoded', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), (pieces) => {
        const text = pieces.map((piece) => Buffer.from(piece).toString('base64')).join('')
        expect(decode(text)).toEqual(Buffer.concat(pieces))
      }),
    )
  })

  test('may lack the padding at its end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64').replace(/=+$/, '')
        expect(decode(text)).toEqual(Buffer.from(bytes))
      }),
    )
  })

  test.each(['A', 'AAAAA', 'A=', 'AA\n', 'AA-_', 'é', 'QQ==Q'])('%j is none', (text) => {
    expect(decode(text)).toBeNull()
  })

  test('takes the room of its text and no more, in pieces of a byte too', () => {
    const decoded = decode('YQ=='.repeat(100_000))
    expect(decoded).toHaveLength(100_000)
    expect(decoded?.buffer.byteLength).toBeLessThanOrEqual(300_000)
  })
})
