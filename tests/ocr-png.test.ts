import { deflateSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodePng, PIXELS_MAX } from '../examples/ocr/src/png.ts'
import { chunk, encodePng, SIGNATURE, type RawPicture } from './encode-png.ts'

const black = { width: 1, height: 1, depth: 8, colour: 0, rows: [Buffer.from([0])] }
const pixels = async (picture: RawPicture) => [...(await decodePng(encodePng(picture))).rgb]

describe('decodePng', () => {
  test('gives back any RGB picture, whatever filters its rows have', async () => {
    const picture = fc
      .record({ width: fc.integer({ min: 1, max: 9 }), height: fc.integer({ min: 1, max: 9 }) })
      .chain(({ width, height }) =>
        fc.record({
          width: fc.constant(width),
          height: fc.constant(height),
          rows: fc.array(fc.uint8Array({ minLength: width * 3, maxLength: width * 3 }), {
            minLength: height,
            maxLength: height,
          }),
          filters: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1 }),
        }),
      )
    await fc.assert(
      fc.asyncProperty(picture, async (given) => {
        const decoded = await decodePng(encodePng({ ...given, depth: 8, colour: 2, step: 3 }))
        expect(Buffer.from(decoded.rgb)).toEqual(Buffer.concat(given.rows))
        expect(decoded).toMatchObject({ width: given.width, height: given.height })
      }),
    )
  })

  const palette: [string, Uint8Array] = ['PLTE', Buffer.from([9, 8, 7, 100, 50, 25])]
  test.each<[string, RawPicture, number[]]>([
    ['grey', { ...black, rows: [Buffer.from([90])] }, [90, 90, 90]],
    [
      'grey of 1 bit',
      { ...black, width: 2, depth: 1, rows: [Buffer.from([0b0100_0000])] },
      [0, 0, 0, 255, 255, 255],
    ],
    [
      'grey of 2 bits',
      { ...black, width: 2, depth: 2, rows: [Buffer.from([0b0110_0000])] },
      [85, 85, 85, 170, 170, 170],
    ],
    [
      'grey of 4 bits',
      { ...black, width: 2, depth: 4, rows: [Buffer.from([0x1f])] },
      [17, 17, 17, 255, 255, 255],
    ],
    ['grey of 16 bits', { ...black, depth: 16, rows: [Buffer.from([7, 200])] }, [7, 7, 7]],
    [
      'grey and alpha, on white',
      { ...black, width: 2, colour: 4, rows: [Buffer.from([0, 0, 5, 255])] },
      [255, 255, 255, 5, 5, 5],
    ],
    [
      'RGB of 16 bits',
      { ...black, depth: 16, colour: 2, rows: [Buffer.from([1, 0, 2, 0, 3, 0])] },
      [1, 2, 3],
    ],
    [
      'RGB and alpha, half on white',
      { ...black, colour: 6, rows: [Buffer.from([0, 51, 255, 51])] },
      [204, 214, 255],
    ],
    [
      'a palette',
      { ...black, width: 2, colour: 3, rows: [Buffer.from([1, 0])], between: [palette] },
      [100, 50, 25, 9, 8, 7],
    ],
    [
      'a palette of 1 bit',
      { ...black, width: 2, depth: 1, colour: 3, rows: [Buffer.from([0x80])], between: [palette] },
      [100, 50, 25, 9, 8, 7],
    ],
    [
      'a palette with a transparent entry',
      {
        ...black,
        width: 2,
        colour: 3,
        rows: [Buffer.from([0, 1])],
        between: [palette, ['tRNS', Buffer.from([0])]],
      },
      [255, 255, 255, 100, 50, 25],
    ],
    [
      'a colour the palette lacks as black',
      { ...black, colour: 3, rows: [Buffer.from([2])], between: [palette] },
      [0, 0, 0],
    ],
    [
      'a picture with a comment',
      { ...black, between: [['tEXt', Buffer.from('hello')]] },
      [0, 0, 0],
    ],
  ])('reads %s', async (_, picture, rgb) => {
    expect(await pixels(picture)).toEqual(rgb)
  })

  const plain = encodePng(black)
  const header = (width: number, height: number, ...rest: number[]) => {
    const body = Buffer.alloc(13)
    body.writeUInt32BE(width, 0)
    body.writeUInt32BE(height, 4)
    body.set(rest, 8)
    return Buffer.concat([SIGNATURE, chunk('IHDR', body)])
  }
  const end = chunk('IEND', Buffer.alloc(0))
  const data = (bytes: number) => chunk('IDAT', deflateSync(Buffer.alloc(bytes)))
  const damaged = Buffer.from(plain)
  damaged[20] = 1
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', Buffer.alloc(0), /no PNG file: its 0 bytes/],
    ['a JPEG', Buffer.from('ffd8ffe000104a464946', 'hex'), /no PNG file/],
    ['a cut off file', plain.subarray(0, -5), /cut off/],
    ['a signature alone', SIGNATURE, /cut off/],
    [
      'a chunk longer than the file',
      Buffer.concat([SIGNATURE, Buffer.from('7fffffff49484452', 'hex'), Buffer.alloc(9)]),
      /cut off/,
    ],
    ['a flipped bit', damaged, /damaged at byte 8: wrong checksum/],
    ['data without a header', Buffer.concat([SIGNATURE, data(2), end]), /begins with IDAT/],
    ['no header at all', Buffer.concat([SIGNATURE, end]), /no header/],
    [
      'a short header',
      Buffer.concat([SIGNATURE, chunk('IHDR', Buffer.alloc(12)), end]),
      /12 bytes, not 13/,
    ],
    ['no pixels', Buffer.concat([header(0, 5, 8, 0, 0, 0, 0), end]), /0 x 5 pixels/],
    [
      'one pixel too many',
      Buffer.concat([header(PIXELS_MAX + 1, 1, 8, 0, 0, 0, 0), end]),
      /16000001 x 1 pixels/,
    ],
    [
      'a size that would overflow',
      Buffer.concat([header(0xffff_ffff, 0xffff_ffff, 8, 0, 0, 0, 0), end]),
      /4294967295 x 4294967295/,
    ],
    [
      'a colour type that is none',
      Buffer.concat([header(1, 1, 8, 5, 0, 0, 0), data(2), end]),
      /colour type 5/,
    ],
    [
      'a depth that the colour type has not',
      Buffer.concat([header(1, 1, 4, 2, 0, 0, 0), data(2), end]),
      /colour type 2, 4 bits/,
    ],
    ['interlacing', encodePng({ ...black, interlace: 1 }), /interlaced: save it without/],
    ['a palette that is not there', encodePng({ ...black, colour: 3 }), /lacks its palette/],
    [
      'an unknown extension that matters',
      encodePng({ ...black, between: [['CgBI', Buffer.alloc(4)]] }),
      /unknown extension CgBI/,
    ],
    ['no data', Buffer.concat([header(1, 1, 8, 0, 0, 0, 0), end]), /can't be decompressed/],
    [
      'data that is no zlib stream',
      Buffer.concat([header(1, 1, 8, 0, 0, 0, 0), chunk('IDAT', Buffer.from('junk')), end]),
      /can't be decompressed/,
    ],
    [
      'too little data',
      Buffer.concat([header(2, 2, 8, 0, 0, 0, 0), data(5), end]),
      /ends after 5 of 6 bytes/,
    ],
    [
      'a bomb',
      Buffer.concat([header(2, 2, 8, 0, 0, 0, 0), data(50_000_000), end]),
      /can't be decompressed/,
    ],
    ['an unknown filter', encodePng({ ...black, filters: [5] }), /row 0 has the unknown filter 5/],
  ])('refuses %s and says what is wrong', async (_, bytes, reason) => {
    await expect(decodePng(bytes)).rejects.toMatchObject({
      name: 'TerminalError',
      message: expect.stringMatching(reason),
    })
  })

  test('answers any bytes with a picture or a TerminalError', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(plain.length - 1),
        fc.integer({ min: 0, max: 255 }),
        async (at, value) => {
          const bytes = Buffer.from(plain)
          bytes[at] = value
          await decodePng(bytes).catch((error: Error) => expect(error.name).toBe('TerminalError'))
        },
      ),
    )
  })
})
