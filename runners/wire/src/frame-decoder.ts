/** Cuts a byte stream into length-prefixed bodies: uint32 big-endian, then the body. */
import { KreError, MiB } from '@kre/contracts/runtime'

/** Largest body. Above the 64 MiB that NATS carries at most, so a full message and its frame fit. */
export const FRAME_BYTES_MAX = 80 * MiB

const PREFIX_BYTES = 4

/**
 * @returns a function that takes the stream's chunks in order and calls `onBody` once per complete body, before it
 *   returns. A body that lies in one chunk is a view into it. The caller holds the stream back (pause, resume)
 *   when it can't take more.
 * @throws KreError `resource-exhausted` when a prefix announces more than `bytesMax`; the stream is then unusable.
 */
export function createFrameDecoder(
  onBody: (body: Uint8Array) => void,
  bytesMax = FRAME_BYTES_MAX,
): (chunk: Uint8Array) => void {
  // Chunks are collected and joined once per body: joining on each chunk would copy a large body many times.
  let parts: Uint8Array[] = []
  let collected = 0
  let wanted = PREFIX_BYTES
  let inBody = false

  return (chunk) => {
    let rest = chunk
    while (collected + rest.length >= wanted) {
      const taken = rest.subarray(0, wanted - collected)
      rest = rest.subarray(taken.length)
      const block = collected === 0 ? taken : joined(parts, taken, wanted)
      parts = []
      collected = 0
      if (inBody) {
        inBody = false
        wanted = PREFIX_BYTES
        onBody(block)
        continue
      }
      wanted = readPrefix(block)
      inBody = true
      if (wanted > bytesMax) {
        throw new KreError(
          'resource-exhausted',
          `a frame announces ${wanted} bytes; at most ${bytesMax} are taken`,
          { bytes: wanted, bytesMax },
        )
      }
    }
    if (rest.length === 0) return
    parts.push(rest)
    collected += rest.length
  }
}

/** The prefix that goes before `body`. */
export function framePrefix(body: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(PREFIX_BYTES)
  new DataView(prefix.buffer).setUint32(0, body.length)
  return prefix
}

function readPrefix(block: Uint8Array): number {
  return new DataView(block.buffer, block.byteOffset, PREFIX_BYTES).getUint32(0)
}

function joined(parts: readonly Uint8Array[], last: Uint8Array, bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  whole.set(last, at)
  return whole
}
