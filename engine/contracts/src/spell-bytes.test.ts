import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { spellBytes, unfinishedBytes } from './spell-bytes.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

describe('spellBytes', () => {
  test.each<[string, number[], string]>([
    ['a byte that begins no character', [0x61, 0xff, 0x62], 'a\\xffb'],
    ['a character that is cut off', [0xe2, 0x82], '\\xe2\\x82'],
    ['a longer form than needed', [0xc0, 0xaf], '\\xc0\\xaf'],
    ['half of a pair', [0xed, 0xa0, 0x80], '\\xed\\xa0\\x80'],
    ['more than there are characters', [0xf4, 0x90, 0x80, 0x80], '\\xf4\\x90\\x80\\x80'],
    ['characters beside it', [0xc3, 0xbc, 0xf0, 0x9f, 0x98, 0x80, 0x80], 'ü😀\\x80'],
  ])('spells %s', (_, bytes, text) => {
    expect(spellBytes(Uint8Array.from(bytes))).toBe(text)
    expect(spellBytes(Uint8Array.from(bytes), '\\\\')).toBe(text.replaceAll('\\', '\\\\'))
  })

  test('leaves what is UTF-8 as it is, and makes UTF-8 of all else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
        const text = spellBytes(data)
        try {
          expect(text).toBe(utf8.decode(data))
        } catch {
          expect(text).toContain('\\x')
        }
        // Nothing is lost: each byte is there, as a character or by its number.
        const back = Buffer.concat(
          text
            .split(/(\\x[0-9a-f]{2})/)
            .map((part) =>
              /^\\x[0-9a-f]{2}$/.test(part)
                ? Buffer.from([Number.parseInt(part.slice(2), 16)])
                : Buffer.from(part),
            ),
        )
        if (!Buffer.from(data).includes('\\x')) expect(back.equals(Buffer.from(data))).toBe(true)
      }),
    )
  })
})

describe('unfinishedBytes', () => {
  test('is what a cut leaves of a character, wherever it is', () => {
    for (const character of ['a', 'ü', '€', '😀']) {
      const bytes = Buffer.from(`x${character}`)
      for (let end = 1; end <= bytes.length; end += 1)
        expect([character, end, unfinishedBytes(bytes.subarray(0, end))]).toEqual([
          character,
          end,
          end === bytes.length ? 0 : end - 1,
        ])
    }
  })

  test.each([[[]], [[0xff]], [[0x80, 0x80, 0x80, 0x80]], [[0xc0]], [[0xe0, 0x80]], [[0xed, 0xa0]]])(
    'is none of bytes that no character begins with: %j',
    (bytes) => {
      expect(unfinishedBytes(Uint8Array.from(bytes))).toBe(0)
    },
  )
})
