import { expect, test } from '@jest/globals'
import { createSentMessages } from './sent-messages.ts'

type Sent = { route: number; bytes: Uint8Array; endAt: number }
/** Compared here, because the matchers look at every byte by itself. */
const isSame = (a: Sent | null, b: Sent | undefined) =>
  a?.route === b?.route &&
  a?.endAt === b?.endAt &&
  Buffer.compare(a?.bytes ?? NONE, b?.bytes ?? NONE) === 0
const NONE = new Uint8Array(0)
const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill)

test('gives a message out as it was, once, until it is confirmed', () => {
  const sent = createSentMessages<string>()
  expect(sent.isEmpty).toBe(true)
  const original = bytes(10, 1)
  const first = sent.add('a', original, 5)
  original.fill(9)
  const second = sent.add('b', bytes(20, 2), Infinity)
  expect(sent.take(first)).toEqual({ route: 'a', bytes: bytes(10, 1), endAt: 5 })
  expect(sent.take(first)).toBeNull()
  sent.confirm(second)
  expect(sent.take(second)).toBeNull()
  expect(sent.isEmpty).toBe(true)
  expect(sent.take(99)).toBeNull()
  expect(sent.take(Number.NaN)).toBeNull()
})

test('shows the last message as it is kept, wherever that is', () => {
  const sent = createSentMessages<number>()
  for (const length of [10, 0, 65_000, 300_000]) {
    const original = bytes(length, length % 251)
    sent.add(1, [original.subarray(0, length / 2), original.subarray(length / 2)], 0)
    const shown = { route: 1, bytes: sent.lastBytes(), endAt: 0 }
    original.fill(255)
    expect(isSame(shown, { ...shown, bytes: bytes(length, length % 251) })).toBe(true)
  }
  // More than the ring holds: the last ones do not fit into it.
  for (let count = 0; count < 100; count++) sent.add(1, bytes(65_000, count), 0)
  const shown = { route: 1, bytes: sent.lastBytes(), endAt: 0 }
  expect(isSame(shown, { ...shown, bytes: bytes(65_000, 99) })).toBe(true)
})

test('keeps every unconfirmed message, however many and however large, in any order of events', () => {
  const sent = createSentMessages<number>()
  const expected = new Map<number, Sent>()
  let seed = 7
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
  for (let round = 0; round < 12_000; round++) {
    const length = random(100) === 0 ? random(300_000) : random(600)
    const message = { route: round, bytes: bytes(length, random(256)), endAt: round }
    expected.set(sent.add(round, message.bytes, round), message)
    if (random(40) === 0) {
      const known = [...expected.keys()]
      const number = known[random(known.length)] as number
      expect(isSame(sent.take(number), expected.get(number))).toBe(true)
      expected.delete(number)
    }
    // Now and then nothing is confirmed for longer than the ring lasts.
    if (random(round % 3_000 < 1_500 ? 50 : 700) !== 0) continue
    const upTo = sent.last - random(20)
    sent.confirm(upTo)
    for (const number of expected.keys()) if (number <= upTo) expected.delete(number)
  }
  for (const [number, message] of expected) expect(isSame(sent.take(number), message)).toBe(true)
})

test('forgets the oldest of the messages that do not fit when they grow beyond measure', () => {
  const sent = createSentMessages<string>()
  const numbers = Array.from({ length: 40 }, () => sent.add('a', bytes(1024 * 1024, 1), 0))
  expect(numbers.filter((number) => sent.take(number) !== null)).toEqual(numbers.slice(-32))
})
