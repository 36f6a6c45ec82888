import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { rawFrame } from '../testing/raw-frames.ts'
import { FrameParser } from './frame-parser.ts'
import { FLAG, FRAME, PREFACE } from './protocol.ts'

type Seen = { type: number; flags: number; streamId: number; payload: string }

/** Reads all chunks. DATA that came in several parts is put together, as its receivers do. */
function readAll(chunks: readonly Uint8Array[]): Seen[] {
  const seen: Seen[] = []
  let isOpen = false
  const parser = new FrameParser(PREFACE, (type, flags, streamId, payload) => {
    const text = payload.toString('latin1')
    const last = seen.at(-1)
    if (isOpen && last !== undefined) {
      expect({ type, streamId }).toEqual({ type: FRAME.data, streamId: last.streamId })
      last.payload += text
      last.flags |= flags
    } else seen.push({ type, flags, streamId, payload: text })
    isOpen = false
    if (type === FRAME.data && (flags & FLAG.padded) === 0)
      isOpen = (seen.at(-1)?.payload.length ?? 0) < lengths[seen.length - 1]!
  })
  const lengths = FRAMES.map(({ payload }) => payload.length)
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk)
    parser.push(reused)
    // Whoever reads from the socket writes over it next.
    reused.fill(0xee)
  }
  return seen
}

const frame = (type: number, flags: number, streamId: number, text: string) => ({
  type,
  flags,
  streamId,
  payload: text,
})
const FRAMES: Seen[] = [
  frame(FRAME.settings, 0, 0, ''),
  frame(FRAME.headers, FLAG.endHeaders, 1, 'a header block'),
  frame(FRAME.data, 0, 1, 'x'.repeat(40)),
  frame(FRAME.data, 0, 1, ''),
  frame(FRAME.data, FLAG.padded, 1, '\x02padded..'),
  frame(FRAME.ping, 0, 0, '12345678'),
  frame(FRAME.data, FLAG.endStream, 1, 'the last of it'),
  frame(FRAME.data, FLAG.endStream, 3, ''),
  frame(FRAME.rstStream, 0, 5, 'code'),
]
const STREAM = Buffer.concat([
  PREFACE,
  ...FRAMES.map(({ type, flags, streamId, payload }) =>
    rawFrame(type, flags, streamId, Buffer.from(payload, 'latin1')),
  ),
])

test('frames are the same, wherever their bytes are cut', () => {
  expect(readAll([STREAM])).toEqual(FRAMES)
  for (let at = 1; at < STREAM.length; at++)
    expect(readAll([STREAM.subarray(0, at), STREAM.subarray(at)])).toEqual(FRAMES)
  expect(readAll(Array.from(STREAM, (byte) => Uint8Array.of(byte)))).toEqual(FRAMES)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
      const chunks: Buffer[] = []
      for (let at = 0, turn = 0; at < STREAM.length; turn++) {
        const size = sizes[turn % sizes.length] as number
        chunks.push(STREAM.subarray(at, at + size))
        at += size
      }
      expect(readAll(chunks)).toEqual(FRAMES)
    }),
    { numRuns: 300 },
  )
})

test('a DATA frame is handed over as its bytes come, and ends with the last of them', () => {
  const calls: [flags: number, bytes: number][] = []
  const parser = new FrameParser(PREFACE, (_, flags, __, payload) => {
    calls.push([flags, payload.length])
  })
  const data = rawFrame(FRAME.data, FLAG.endStream, 1, Buffer.alloc(16_384))
  parser.push(Buffer.concat([PREFACE, data.subarray(0, 1_009)]))
  parser.push(data.subarray(1_009, 2_009))
  parser.push(data.subarray(2_009))
  expect(calls).toEqual([
    [0, 1_000],
    [0, 1_000],
    [FLAG.endStream, 14_384],
  ])
})

test('nothing is handed over after a stop, not even the rest of a frame', () => {
  let calls = 0
  const parser = new FrameParser(PREFACE, () => {
    calls++
    parser.stop()
  })
  const data = rawFrame(FRAME.data, 0, 1, Buffer.alloc(100))
  parser.push(Buffer.concat([PREFACE, data.subarray(0, 50)]))
  parser.push(Buffer.concat([data.subarray(50), data]))
  expect(calls).toBe(1)
})
