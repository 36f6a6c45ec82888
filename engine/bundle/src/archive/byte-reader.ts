/** Pulls exact amounts of bytes out of chunks of any size. */
export type ByteReader = {
  /** Bytes handed out so far. */
  readonly position: number
  /** The next `count` bytes, fewer only at the end of the input. The result may share memory with a chunk. */
  read(count: number): Promise<Uint8Array>
  /** The same bytes without consuming them. `count` must be small: it is buffered. */
  peek(count: number): Promise<Uint8Array>
  /** Whatever is at hand, at most `countMax` bytes; empty only at the end of the input. */
  readSome(countMax: number): Promise<Uint8Array>
  /** Gives bytes back that were read too far; they come out again first. */
  unread(bytes: Uint8Array): void
}

/** @param onChunk sees the size of every chunk before it is used and may throw: the place for size limits. */
export function createByteReader(
  source: AsyncIterable<Uint8Array>,
  onChunk: (byteLength: number) => void = () => undefined,
): ByteReader {
  const iterator = source[Symbol.asyncIterator]()
  let held: Uint8Array = new Uint8Array(0)
  let position = 0

  async function pull(): Promise<Uint8Array | null> {
    for (;;) {
      const next = await iterator.next()
      if (next.done === true) return null
      if (next.value.byteLength === 0) continue
      onChunk(next.value.byteLength)
      return next.value
    }
  }

  async function fill(count: number): Promise<void> {
    if (held.byteLength >= count) return
    const parts = [held]
    let size = held.byteLength
    while (size < count) {
      const chunk = await pull()
      if (chunk === null) break
      parts.push(chunk)
      size += chunk.byteLength
    }
    held = parts.length === 1 ? held : Buffer.concat(parts)
  }

  function take(count: number): Uint8Array {
    const taken = held.subarray(0, count)
    held = held.subarray(count)
    position += taken.byteLength
    return taken
  }

  return {
    get position() {
      return position
    },
    async read(count) {
      await fill(count)
      return take(count)
    },
    async peek(count) {
      await fill(count)
      return held.subarray(0, count)
    },
    async readSome(countMax) {
      if (held.byteLength === 0) held = (await pull()) ?? held
      return take(countMax)
    },
    unread(bytes) {
      held = held.byteLength === 0 ? bytes : Buffer.concat([bytes, held])
      position -= bytes.byteLength
    },
  }
}
