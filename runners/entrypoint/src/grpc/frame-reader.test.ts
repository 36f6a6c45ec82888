import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Failure } from './failure.ts'
import { encodeFrame, FrameReader } from './frame-reader.ts'

function read(chunks: Uint8Array[], bytesMax = 1_000, budget = 1_000_000) {
  const messages: string[] = []
  const failures: Failure[] = []
  let reserved = 0
  const reader = new FrameReader(bytesMax, {
    reserve(bytes) {
      if (reserved + bytes > budget) return false
      reserved += bytes
      return true
    },
    onMessage: (message, isCompressed) =>
      void messages.push(`${isCompressed ? 'gz:' : ''}${Buffer.from(message).toString()}`),
    onFailure: (failure) => void failures.push(failure),
  })
  for (const chunk of chunks) reader.push(chunk)
  return { messages, failures, reserved, isInsideFrame: reader.isInsideFrame }
}

const text = (value: string) => Buffer.from(value)

describe('the frame reader', () => {
  const stream = Buffer.concat([
    encodeFrame(text('one')),
    encodeFrame(text('')),
    encodeFrame(text('three'), true),
  ])

  test.each([1, 2, 3, 5, 7, 100])('cuts messages out of chunks of %d bytes', (size) => {
    const chunks = []
    for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size))
    expect(read(chunks)).toMatchObject({
      messages: ['one', '', 'gz:three'],
      failures: [],
      isInsideFrame: false,
    })
  })

  test('knows when it stands inside a frame', () => {
    for (let cut = 1; cut < 8; cut++)
      expect(read([encodeFrame(text('one')).subarray(0, cut)]).isInsideFrame).toBe(true)
  })

  test('grows with what arrives, not with what is announced', () => {
    const prefix = Buffer.from([0, 0x00, 0x0f, 0xff, 0xff])
    const { reserved, failures } = read([prefix, Buffer.alloc(100)], 1_048_575)
    expect(failures).toEqual([])
    expect(reserved).toBeLessThanOrEqual(4_096)
  })

  test('keeps a message of many growths whole', () => {
    const long = 'abcdefghij'.repeat(9_999)
    const framed = encodeFrame(text(long))
    const chunks = []
    for (let at = 0; at < framed.length; at += 1_337) chunks.push(framed.subarray(at, at + 1_337))
    const { messages, reserved } = read(chunks, 1_000_000)
    expect(messages).toEqual([long])
    expect(reserved).toBe(long.length)
  })

  test.each([
    [9, 'one below'],
    [10, 'at'],
  ])('takes a message of %d bytes, %s the limit', (size) => {
    expect(read([encodeFrame(Buffer.alloc(size))], 10).messages.length).toBe(1)
  })

  test('refuses a message one above the limit by its prefix alone, and reads no further', () => {
    const { messages, failures } = read([encodeFrame(Buffer.alloc(11)), encodeFrame(text('x'))], 10)
    expect(messages).toEqual([])
    expect(failures).toMatchObject([{ reason: 'PAYLOAD_TOO_LARGE' }])
  })

  test('refuses to grow beyond the budget', () => {
    const { failures } = read([encodeFrame(Buffer.alloc(900))], 1_000, 500)
    expect(failures).toMatchObject([{ reason: 'BYTES_IN_FLIGHT', status: 8 }])
  })

  test('reads the same of a stream, however it is cut', () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .array(fc.tuple(fc.string({ maxLength: 20 }), fc.boolean()), { maxLength: 5 })
        .map((all) => Buffer.concat(all.map(([one, isGzip]) => encodeFrame(text(one), isGzip)))),
    )
    fc.assert(
      fc.property(body, fc.array(fc.nat({ max: 12 }), { maxLength: 20 }), (bytes, cuts) => {
        const chunks: Uint8Array[] = []
        let at = 0
        for (const size of cuts) {
          chunks.push(bytes.subarray(at, at + size))
          at += size
        }
        chunks.push(bytes.subarray(at))
        const { messages, failures, isInsideFrame } = read([bytes])
        expect(read(chunks)).toMatchObject({ messages, failures, isInsideFrame })
      }),
      { numRuns: 1_000 },
    )
  })
})
