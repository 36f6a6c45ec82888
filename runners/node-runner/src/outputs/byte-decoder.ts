/** What a process writes, as text. */
import { spellBytes, unfinishedBytes } from '@kre/contracts/runtime'

export type ByteDecoder = {
  /** The text of a chunk, but for the begin of a character that its end cuts in two. */
  write(chunk: Uint8Array): string
  /** What is left when nothing follows. */
  end(): string
}

/** Characters may be cut in two by the ends of chunks; bytes that are none are spelled out. */
export function createByteDecoder(): ByteDecoder {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let rest: Uint8Array = new Uint8Array(0)

  function textOf(data: Uint8Array): string {
    try {
      return utf8.decode(data)
    } catch {
      return spellBytes(data) // the decoder says that it is no UTF-8
    }
  }
  return {
    write(chunk) {
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const end = data.length - unfinishedBytes(data)
      // The chunk may be written over by who gave it.
      rest = new Uint8Array(data.subarray(end))
      return textOf(data.subarray(0, end))
    },
    end() {
      const text = textOf(rest)
      rest = new Uint8Array(0)
      return text
    },
  }
}
