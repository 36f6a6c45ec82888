import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { HpackDecoder } from './hpack-decoder.ts'
import { encodeHeaders } from './hpack-encoder.ts'
import { decodeHuffman } from './huffman.ts'
import { Http2ConnectionError } from './protocol.ts'

const LIST_MAX = 16_384
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

function decodeAll(blocks: string[]) {
  const decoder = new HpackDecoder()
  return blocks.map((block) => decoder.decode(hex(block), LIST_MAX).fields)
}

const FIRST = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com']
const SECOND = [...FIRST, 'cache-control', 'no-cache']
const THIRD = (
  ':method GET :scheme https :path /index.html :authority www.example.com ' +
  'custom-key custom-value'
).split(' ')

describe('the examples of RFC 7541', () => {
  test('C.3: requests without Huffman code', () => {
    const blocks = [
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ]
    expect(decodeAll(blocks)).toEqual([FIRST, SECOND, THIRD])
  })

  test('C.4: requests with Huffman code', () => {
    const blocks = [
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      '828684be5886a8eb10649cbf',
      '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
    ]
    expect(decodeAll(blocks)).toEqual([FIRST, SECOND, THIRD])
  })

  test('C.2: a literal that is indexed, one that is not, one that never is', () => {
    expect(
      decodeAll([
        '400a637573746f6d2d6b65790d637573746f6d2d686561646572',
        '040c2f73616d706c652f70617468',
        '100870617373776f726406736563726574',
      ]),
    ).toEqual([
      ['custom-key', 'custom-header'],
      [':path', '/sample/path'],
      ['password', 'secret'],
    ])
  })
})

describe('the decoder', () => {
  const headerName = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/)
  const headerValue = fc.stringMatching(/^[!-~]{0,40}$/)

  test('reads what the encoder writes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(headerName, headerValue), { maxLength: 20 }), (fields) => {
        const { fields: decoded, isMalformed } = new HpackDecoder().decode(
          encodeHeaders(fields),
          LIST_MAX,
        )
        expect(decoded).toEqual(fields.flat())
        expect(isMalformed).toBe(false)
      }),
    )
  })

  test('throws nothing but a compression error, whatever it gets', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder()
        try {
          for (const block of blocks) decoder.decode(Buffer.from(block), LIST_MAX)
        } catch (error) {
          expect(error).toBeInstanceOf(Http2ConnectionError)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['index 0', '80'],
    ['an index beyond the table', 'ff8001'],
    ['an integer without an end', 'ffffffffffffffff'],
    ['a string longer than its block', '400a6375'],
    ['a table larger than allowed', '3fe2ff7f'],
    ['a table size update after a field', '8220'],
    ['Huffman padding with a zero', '4001618118'],
  ])('refuses %s', (_what, block) => {
    expect(() => new HpackDecoder().decode(hex(block), LIST_MAX)).toThrow(Http2ConnectionError)
  })

  test('evicts the oldest entries of a table that becomes smaller', () => {
    const decoder = new HpackDecoder()
    decoder.decode(hex('400161 0162 400163 0164'), LIST_MAX)
    expect(decoder.decode(hex('bebf'), LIST_MAX).fields).toEqual(['c', 'd', 'a', 'b'])
    decoder.decode(hex('3f0f'), LIST_MAX) // 46 bytes: room for one entry
    expect(decoder.decode(hex('be'), LIST_MAX).fields).toEqual(['c', 'd'])
    expect(() => decoder.decode(hex('bf'), LIST_MAX)).toThrow('index')
  })

  test('does not build a list beyond its limit, and goes on afterwards', () => {
    const decoder = new HpackDecoder()
    const entry = encodeIndexed('x-large', 'v'.repeat(3_000))
    const bomb = Buffer.concat([entry, Buffer.alloc(10_000, 0xbe)])
    const { fields, isTooLarge } = decoder.decode(bomb, LIST_MAX)
    expect(isTooLarge).toBe(true)
    expect(fields.length).toBeLessThan(20)
    expect(decoder.decode(hex('be'), LIST_MAX)).toMatchObject({ isTooLarge: false })
  })

  test.each([
    ['an upper case name', 'Name', 'v'],
    ['an empty name', '', 'v'],
    ['a name with a blank', 'a b', 'v'],
    ['a value with a line break', 'name', 'a\r\nb'],
    ['a value with a zero', 'name', 'a\0'],
    ['a value that begins with a blank', 'name', ' a'],
  ])('marks %s as malformed', (_what, name, value) => {
    expect(new HpackDecoder().decode(encodeIndexed(name, value), LIST_MAX).isMalformed).toBe(true)
  })
})

/** The bytes 0 to 255 in Huffman code, from another implementation. */
const ALL_BYTES =
  'ffc7fffd8fffffe2fffffe3fffffe4fffffe5fffffe6fffffe7fffffe8ffffeafffffff3fffffa7fffffabff' +
  'ffffdfffffebfffffecfffffedfffffeefffffefffffff0ffffff1ffffff2fffffffbfffffcffffffd3fffff' +
  'd7fffffdbfffffdffffffe3fffffe7fffffebfffffed4fe3f9ffaffcabf1febfafefe7fdfd2cbb00089969b7' +
  '1d79fb9f7fff20ffbff3ff50ddbd7f061c58f265cd9f469d5af66dddbf871e5f9cff7ff7fffc3ff9ffe45fff' +
  '4719242cb34e6e9d68a6a3d7dac426defe3cfaf7fffbfe7ffbffdffffffcfffe6ffff4bfff9ffffa3fffd3ff' +
  'ff53fffd5ffffb3fffeb7fffdaffffb7ffff73fffeeffffdeffffebffffbfffffd9ffffdbfffebffffe0ffff' +
  'eeffffc3ffff8bffff1ffffe4fffee7fffb1ffff97fffd9ffffcdffff9fffffbffffdafffeeffff4ffffb7ff' +
  'fee7fffe8ffffd3fffdeffffd5fffeeffffbdffffe1fffdfffff7fffff5ffffecffff07fff87fffe0ffff17f' +
  'ffedffff87ffff77fffeffffeaffff8bfffe3ffff93ffff87fffcbffff37ffff1fffff83ffffe1fffebfffe3' +
  'ffff3fffff2ffffa3ffffd9fffff17ffffc7fffff27ffffdefffffbffffff2fffff8fffffb7fff97fff8ffff' +
  'fe6fffffc1fffff87ffffe7fffffc5ffffe5fffe4ffff2fffffd1fffff4ffffffefffffe3fffffc9fffff97f' +
  'ffb3ffffcffffb7fffcdffff4ffff9ffffd1ffffcffffeaffffafffffddffffeffffff4fffff5fffffabffff' +
  'a7ffffd7fffff9bffffecfffffb7fffff3fffffe8fffffd3fffffabfffff5fffffff7ffffecfffffdbfffffb' +
  'bfffff7ffffff0fffffbbf'

test('the Huffman code of every byte is read', () => {
  const source = hex(ALL_BYTES)
  const decoded = Buffer.alloc(source.length * 2)
  const length = decodeHuffman(source, 0, source.length, decoded)
  expect([...decoded.subarray(0, length)]).toEqual(Array.from({ length: 256 }, (_, byte) => byte))
})

/** A literal with a new name that goes into the table. */
function encodeIndexed(name: string, value: string): Buffer {
  const plain = encodeHeaders([[name, value]])
  const block = Buffer.from(plain)
  block[0] = 0x40
  return block
}
