import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { createMemoryStore, inChunks } from '../testing/read-in-memory.ts'
import { createByteReader } from './byte-reader.ts'
import { gunzipMember } from './gunzip-member.ts'
import { createGzipWriter, type GzipPart, isIncompressible } from './gzip-writer.ts'

async function gzip(
  parts: { stored: boolean; bytes: Uint8Array }[],
  chunkBytes: number,
): Promise<Buffer> {
  async function* toParts(): AsyncGenerator<GzipPart> {
    for (const { stored, bytes } of parts) yield { stored, content: inChunks(bytes, chunkBytes) }
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of createGzipWriter().write(toParts())) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const text = Buffer.from('some text that compresses well. '.repeat(10_000))
const noise = randomBytes(200_000)

describe('createGzipWriter', () => {
  test.each([
    ['nothing', []],
    ['an empty stored part', [{ stored: true, bytes: Buffer.alloc(0) }]],
    ['text', [{ stored: false, bytes: text }]],
    ['noise', [{ stored: true, bytes: noise }]],
    ['exactly one stored block', [{ stored: true, bytes: noise.subarray(0, 65_535) }]],
    [
      'both in turn',
      [false, true, false, true, true, false].map((stored) => ({
        stored,
        bytes: stored ? noise : text,
      })),
    ],
  ])(
    'writes %s so that every gunzip reads it, whatever the sizes of chunks',
    async (_what, parts) => {
      const whole = Buffer.concat(parts.map(({ bytes }) => bytes))
      const zipped = await gzip(parts, 65_536)
      // Jest compares Buffers byte by byte, which takes seconds here.
      expect(gunzipSync(zipped).equals(whole)).toBe(true)
      expect((await gzip(parts, 999)).equals(zipped)).toBe(true)
      const chunks: Uint8Array[] = []
      for await (const chunk of gunzipMember(createByteReader(inChunks(zipped)))) chunks.push(chunk)
      expect(Buffer.concat(chunks).equals(whole)).toBe(true)
    },
  )

  test('passes on what a part throws', async () => {
    async function* failing(): AsyncGenerator<GzipPart> {
      yield {
        stored: false,
        content: (async function* () {
          yield text
          throw await Promise.resolve(new Error('disk gone'))
        })(),
      }
    }
    const reading = (async () => {
      for await (const chunk of createGzipWriter().write(failing())) void chunk
    })()
    await expect(reading).rejects.toThrow('disk gone')
  })
})

describe('isIncompressible', () => {
  test.each([
    ['noise', randomBytes(2_000_000), true],
    ['zeros', Buffer.alloc(2_000_000), false],
    ['little noise', randomBytes(1_000_000), false],
    [
      'noise with text in the middle',
      Buffer.concat([noise, text.subarray(0, 320_000).fill('a'), noise, noise, noise, noise]),
      true,
    ],
  ])('judges %s', async (_what, bytes, expected) => {
    const contents = createMemoryStore()
    const stored = await contents.put(inChunks(bytes))
    expect(await isIncompressible(stored, contents)).toBe(expected)
  })
})
