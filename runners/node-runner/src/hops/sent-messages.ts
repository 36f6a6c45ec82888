/**
 * Messages that were sent and may come back, in the order of sending. They live for some ten milliseconds, which is
 * just too long for V8's young generation, so their bytes and facts are kept outside of its heap, in arrays that are
 * made once: an object per message would cost a full collection every second.
 */
import { KiB, MiB } from '@kre/contracts/runtime'
import { bytesOf, type Data } from '@kre/core-nats'

/** What these hold is what a fast node sends within a check; what does not fit is kept as an object. */
const MESSAGES_MAX = 1_024
const RING_BYTES = 4 * MiB
/** What a node needs that sends no large messages: its ring is that small until the first large one. */
const SMALL_RING_BYTES = 256 * KiB
/** From here on a message is a large one. */
const LARGE_BYTES = 16 * KiB
/** Larger messages are not copied but kept as they are. */
const COPIED_BYTES_MAX = 256 * KiB
/** Most bytes of messages that did not fit; beyond it the oldest are forgotten, as if they had been taken. */
const SPILLED_BYTES_MAX = 32 * MiB

export type SentMessage<Route> = {
  readonly route: Route
  readonly bytes: Uint8Array
  readonly endAt: number
}

export type SentMessages<Route> = {
  /** Keeps a copy; one piece above 256 KiB must not be changed any more. @returns its number; numbers grow by one. */
  add(route: Route, data: Data, endAt: number): number
  /** The last message as it is kept: it is changed no more until it is confirmed. */
  lastBytes(): Uint8Array
  /** Gives a message out, once; null when it was confirmed or is unknown. */
  take(number: number): SentMessage<Route> | null
  /** Forgets all messages up to this one. */
  confirm(upTo: number): void
  /** Number of the last message; 0 = none yet. */
  readonly last: number
  readonly isEmpty: boolean
}

export function createSentMessages<Route>(): SentMessages<Route> {
  const routes: (Route | null)[] = Array.from({ length: MESSAGES_MAX }, () => null)
  /** Whose the slot is: a message that was spilled has none. */
  const numbers = new Float64Array(MESSAGES_MAX)
  const endAts = new Float64Array(MESSAGES_MAX)
  const starts = new Uint32Array(MESSAGES_MAX)
  const lengths = new Uint32Array(MESSAGES_MAX)
  let ring = Buffer.allocUnsafeSlow(SMALL_RING_BYTES)
  const spilled = new Map<number, SentMessage<Route>>()
  let spilledBytes = 0
  let last = 0
  let confirmed = 0
  /** Where the ring's next message goes, and where its oldest one starts; equal = it is empty. */
  let head = 0
  let tail = 0

  /** One byte stays free, so that a full ring differs from an empty one. -1 = no room. */
  const findRoom = (bytes: number): number => {
    if (last - confirmed > MESSAGES_MAX) return -1
    if (head < tail) return bytes < tail - head ? head : -1
    if (bytes <= ring.length - head) return head
    return bytes < tail ? 0 : -1
  }
  /** Memory that was never written to costs nothing, so that the large ring grows with its use. */
  const enlarge = () => {
    if (ring.length === RING_BYTES || head < tail) return
    const larger = Buffer.allocUnsafeSlow(RING_BYTES)
    larger.set(ring.subarray(tail, head), tail)
    ring = larger
  }
  const copyPieces = (pieces: readonly Uint8Array[], start: number) => {
    let at = start
    for (const piece of pieces) {
      ring.set(piece, at)
      at += piece.length
    }
  }
  const spill = (route: Route, bytes: Uint8Array, endAt: number) => {
    spilledBytes += bytes.length
    for (const [number, { bytes: dropped }] of spilled) {
      if (spilledBytes <= SPILLED_BYTES_MAX) break
      spilled.delete(number)
      spilledBytes -= dropped.length
    }
    spilled.set(last, { route, bytes, endAt })
  }

  return {
    get last() {
      return last
    },
    get isEmpty() {
      return last === confirmed
    },
    add(route, data, endAt) {
      const slot = ++last % MESSAGES_MAX
      const length = bytesOf(data)
      if (length > LARGE_BYTES) enlarge()
      const start = length > COPIED_BYTES_MAX ? -1 : findRoom(length)
      if (start === -1) {
        spill(route, data instanceof Uint8Array ? data : Buffer.concat(data), endAt)
        return last
      }
      head = start + length
      if (data instanceof Uint8Array) ring.set(data, start)
      else copyPieces(data, start)
      routes[slot] = route
      numbers[slot] = last
      endAts[slot] = endAt
      starts[slot] = start
      lengths[slot] = length
      return last
    },
    lastBytes() {
      const kept = spilled.get(last)
      if (kept !== undefined) return kept.bytes
      const start = starts[last % MESSAGES_MAX] as number
      return ring.subarray(start, start + (lengths[last % MESSAGES_MAX] as number))
    },
    take(number) {
      if (!(number > confirmed && number <= last)) return null
      const slot = number % MESSAGES_MAX
      const kept = spilled.get(number)
      if (kept !== undefined) {
        spilled.delete(number)
        spilledBytes -= kept.bytes.length
        return kept
      }
      const route = routes[slot] ?? null
      if (route === null || numbers[slot] !== number) return null
      routes[slot] = null
      const start = starts[slot] as number
      const bytes = new Uint8Array(ring.subarray(start, start + (lengths[slot] as number)))
      return { route, bytes, endAt: endAts[slot] as number }
    },
    confirm(upTo) {
      for (const number of spilled.keys()) {
        if (number > upTo) break
        spilledBytes -= spilled.get(number)?.bytes.length ?? 0
        spilled.delete(number)
      }
      confirmed = Math.max(confirmed, Math.min(upTo, last))
      for (let number = confirmed + 1; number <= last; number++) {
        const slot = number % MESSAGES_MAX
        if (numbers[slot] !== number) continue
        tail = starts[slot] as number
        return
      }
      head = tail = 0
    },
  }
}
