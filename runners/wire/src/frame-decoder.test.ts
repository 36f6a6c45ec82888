import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createFrameDecoder, framePrefix } from './frame-decoder.ts'

const framed = (...bodies: Uint8Array[]) =>
  Buffer.concat(bodies.flatMap((body) => [framePrefix(body), body]))

describe('createFrameDecoder', () => {
  const bodies = [Uint8Array.of(1, 2, 3), new Uint8Array(0), new Uint8Array(1000).fill(9)]

  test.each([1, 2, 3, 5, 7, 1007, 5000])('finds the bodies in chunks of %i bytes', (chunkBytes) => {
    const found: Uint8Array[] = []
    const push = createFrameDecoder((body) => found.push(body))
    const stream = framed(...bodies)
    for (let at = 0; at < stream.length; at += chunkBytes)
      push(stream.subarray(at, at + chunkBytes))
    expect(found.map((body) => [...body])).toEqual(bodies.map((body) => [...body]))
  })

  test('takes a body of the limit and refuses one byte more before it arrives', () => {
    const found: number[] = []
    const push = createFrameDecoder((body) => found.push(body.length), 10)
    push(framed(new Uint8Array(10)))
    expect(found).toEqual([10])
    expect(() => push(framePrefix(new Uint8Array(11)))).toThrow('announces 11 bytes; at most 10')
  })

  test('finds the same bodies, however their stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }),
        fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 20 }),
        (sent, cuts) => {
          const found: Uint8Array[] = []
          const push = createFrameDecoder((body) => found.push(Uint8Array.from(body)))
          const stream = framed(...sent)
          let at = 0
          for (const bytes of cuts) {
            push(stream.subarray(at, at + bytes))
            at += bytes
          }
          push(stream.subarray(at))
          expect(found.map((body) => [...body])).toEqual(sent.map((body) => [...body]))
        },
      ),
    )
  })
})
