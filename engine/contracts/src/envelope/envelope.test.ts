import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { KreError } from '../errors.ts'
import {
  decodeEnvelope,
  emptyEnvelope,
  encodeEnvelope,
  encodeEnvelopePieces,
  type Envelope,
  MESSAGE_TYPE,
} from './envelope.ts'

const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.toWellFormed())
const uint = fc.oneof(fc.nat(), fc.maxSafeNat())
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  // Around the size from which on an envelope has a buffer of its own.
  fc.nat({ max: 200 }).map((more) => new Uint8Array(16 * 1024 - 100 + more).fill(7)),
)
const envelope: fc.Arbitrary<Envelope> = fc.record({
  requestId: text,
  typeUrl: text,
  value: bytes,
  error: text,
  fromNode: text,
  messageType: fc.constantFrom(...Object.values(MESSAGE_TYPE)),
  deadlineUnixMs: uint,
  replyTo: text,
  attempt: uint,
  hop: uint,
  claim: fc.option(
    fc.record({
      bucket: text,
      key: text,
      size: uint,
      sha256: text,
      expiresUnixMs: uint,
      chunkBytes: uint,
    }),
  ),
  encoding: fc.constantFrom(0, 1),
  statusCode: uint,
  metadata: fc.dictionary(fc.oneof(text, fc.constant('__proto__')), text, { maxKeys: 5 }),
  lineage: uint,
  sequence: uint,
  hasClaims: fc.boolean(),
  handlerUs: uint,
  sentUnixUs: uint,
})

const comparable = ({ value, metadata, ...rest }: Envelope) => ({
  ...rest,
  value: Buffer.from(value).toString('hex'),
  metadata: Object.entries(metadata),
})

/** Null = refused, in our own words. */
function decodeOrRefuse(message: Uint8Array): Envelope | null {
  try {
    return decodeEnvelope(message)
  } catch (error) {
    expect(error).toBeInstanceOf(KreError)
    expect((error as KreError).code).toBe('invalid-argument')
    return null
  }
}

describe('an envelope', () => {
  test('comes back as it was sent', () => {
    fc.assert(
      fc.property(envelope, (sent) => {
        expect(comparable(decodeEnvelope(encodeEnvelope(sent)))).toEqual(comparable(sent))
      }),
      { numRuns: 500 },
    )
  })

  test('in pieces has the same bytes, and a large payload is one of them', () => {
    fc.assert(
      fc.property(envelope, fc.nat({ max: 300_000 }), (sent, length) => {
        const large = { ...sent, value: Buffer.alloc(length, 'v') }
        for (const each of [sent, large]) {
          const pieces = encodeEnvelopePieces(each)
          const whole = pieces instanceof Uint8Array ? pieces : Buffer.concat(pieces)
          expect(Buffer.compare(whole, encodeEnvelope(each))).toBe(0)
          if (!(pieces instanceof Uint8Array)) expect(pieces[1]).toBe(each.value)
        }
      }),
      { numRuns: 200 },
    )
    const long = { ...emptyEnvelope(), value: Buffer.alloc(20_000), error: 'e'.repeat(100_000) }
    expect(encodeEnvelopePieces(long)).toEqual(encodeEnvelope(long))
  })

  test('is not touched by the next one that is written', () => {
    fc.assert(
      fc.property(envelope, envelope, (first, second) => {
        const bytesOfFirst = encodeEnvelope(first)
        const before = Buffer.from(bytesOfFirst)
        encodeEnvelope(second)
        expect(Buffer.from(bytesOfFirst).equals(before)).toBe(true)
      }),
    )
  })

  test('of any bytes is read or refused, and what was read can be sent on', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (message) => {
        const read = decodeOrRefuse(message)
        if (read === null) return
        expect(comparable(decodeEnvelope(encodeEnvelope(read)))).toEqual(comparable(read))
      }),
      { numRuns: 5_000 },
    )
  })

  test('that was changed on its way is read or refused, from its own bytes alone', () => {
    const changed = fc.tuple(
      envelope,
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 255 })), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    fc.assert(
      fc.property(changed, ([sent, changes, cut]) => {
        // In the middle of a larger buffer, as messages of NATS are.
        const encoded = encodeEnvelope(sent)
        const whole = Buffer.alloc(encoded.length + 128, 0xaa)
        whole.set(encoded, 64)
        const length = cut > 0.5 ? encoded.length : Math.floor(encoded.length * cut * 2)
        const message = whole.subarray(64, 64 + length)
        for (const [at, byte] of changes)
          if (length > 0) message[Math.min(length - 1, Math.floor(at * length))] = byte
        const read = decodeOrRefuse(message)
        if (read === null || read.value.length === 0) return
        const start = read.value.byteOffset - message.byteOffset
        expect(start).toBeGreaterThanOrEqual(0)
        expect(start + read.value.length).toBeLessThanOrEqual(message.length)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['a length of 2^63', '12ffffffffffffffff7f'],
    ['an integer of 11 bytes', '28ffffffffffffffffffffff01'],
    ['a field number of 0', '0001'],
    ['a group', '3b3c'],
    ['a string that ends early', '0a0561'],
    ['a number where text belongs', '0801'],
  ])('with %s is refused', (_what, hex) => {
    expect(decodeOrRefuse(Buffer.from(hex, 'hex'))).toBeNull()
  })

  test('of nothing is empty', () => {
    expect(decodeEnvelope(new Uint8Array(0))).toEqual(emptyEnvelope())
  })
})
