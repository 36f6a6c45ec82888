/** Bytes of a stream, so many at a time. */
export type ByteSource = {
  /** Exactly so many; null = the stream ends before, or its bound is reached. */
  take(count: number): Promise<Uint8Array | null>
  /** @returns false where `take` gives null. */
  skip(count: number): Promise<boolean>
  /** Nothing more is wanted. */
  end(): Promise<void>
}

/** @param bytesMax of the stream that are looked at. */
export function createByteSource(stream: ReadableStream<Uint8Array>, bytesMax: number): ByteSource {
  const reader = stream.getReader()
  let held: Uint8Array = new Uint8Array(0)
  let received = 0

  /** Makes `held` hold something; false = there is nothing more. */
  async function fill(): Promise<boolean> {
    while (held.length === 0) {
      if (received >= bytesMax) return false
      const { done, value } = await reader.read()
      if (done) return false
      received += value.length
      held = value
    }
    return true
  }

  /** Up to so many of those that are held. */
  function cut(count: number): Uint8Array {
    const part = held.subarray(0, count)
    held = held.subarray(part.length)
    return part
  }

  return {
    async take(count) {
      const bytes = new Uint8Array(count)
      for (let at = 0; at < count;) {
        if (!(await fill())) return null
        const part = cut(count - at)
        bytes.set(part, at)
        at += part.length
      }
      return bytes
    },
    async skip(count) {
      for (let left = count; left > 0;) {
        if (!(await fill())) return false
        left -= cut(left).length
      }
      return true
    },
    async end() {
      // What is damaged behind the place where reading ended is of no interest.
      await reader.cancel().catch(() => undefined)
    },
  }
}
