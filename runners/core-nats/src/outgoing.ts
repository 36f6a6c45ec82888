/** What is to be sent, in the form of the protocol, gathered into few large pieces. */
import { KiB } from '@kre/contracts/runtime'
import { checkLength, refusedSubject } from './subject.ts'

/** Room for what a busy turn of the event loop publishes; more goes into further blocks. */
const BLOCK_BYTES = 64 * KiB
/** Blocks that are kept for later: with each one made anew, collecting them costs more than filling them. */
const SPARE_BLOCKS_MAX = 16
/** Larger pieces are handed over as they are: copying them costs more than another piece in a write. */
const COPIED_BYTES_MAX = 256 * KiB
/** The same for pieces that nobody changes, which the sender has copied already: a second copy is never cheap. */
const KEPT_COPIED_BYTES_MAX = BLOCK_BYTES / 2
/** `HPUB `, spaces, two numbers and the line end. */
const LINE_BYTES = 32

const SPACE = 32
const TILDE = 126
const CR = 13
const LF = 10
const ZERO = 48

/** A payload, in one piece or in several that belong together. */
export type Data = Uint8Array | readonly Uint8Array[]

export type Outgoing = {
  /**
   * Adds a message. Pieces of more than 256 KiB must not be changed until it is sent.
   *
   * @param isKept no piece of it is: those above 32 KiB are not copied.
   * @throws KreError `invalid-argument`.
   */
  message(
    subject: string,
    reply: string,
    data: Data,
    headers: Uint8Array | null,
    isKept?: boolean,
  ): void
  /** Adds lines, each with its line end. */
  lines(text: string): void
  /** Bytes that were not taken yet. */
  readonly bytes: number
  /** Takes all of it, in order; the pieces stay as they are until `recycle`. */
  take(): Uint8Array[]
  /** The pieces taken last are no longer needed. */
  recycle(): void
}

export function createOutgoing(): Outgoing {
  let block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  /** The block's part that was not taken yet. */
  let start = 0
  let end = 0
  let full: Uint8Array[] = []
  let fullBytes = 0
  /** Blocks that are full, and those of them that were taken. */
  let filled: Buffer<ArrayBuffer>[] = []
  let taken: Buffer<ArrayBuffer>[] = []
  const spare: Buffer<ArrayBuffer>[] = []

  const cut = () => {
    if (end === start) return
    full.push(block.subarray(start, end))
    fullBytes += end - start
    start = end
  }
  const nextBlock = (bytes: number) => {
    cut()
    filled.push(block)
    block = (bytes <= BLOCK_BYTES ? spare.pop() : undefined) ?? newBlock(bytes)
    start = end = 0
  }
  const reserve = (bytes: number) => {
    if (block.length - end < bytes) nextBlock(bytes)
  }
  const operation = (hasHeaders: boolean) => {
    if (hasHeaders) block[end++] = 0x48 // H
    block[end++] = 0x50 // P
    block[end++] = 0x55 // U
    block[end++] = 0x42 // B
    block[end++] = SPACE
  }
  /** Writes and checks in one go: a sign that ends a word or a line would forge what comes after it. */
  const word = (text: string, what: string) => {
    let at = end
    for (let index = 0; index < text.length; index++) {
      const sign = text.charCodeAt(index)
      if (sign <= SPACE || sign > TILDE) throw refusedSubject(text, what)
      block[at++] = sign
    }
    if (at === end) throw refusedSubject(text, what)
    block[at] = SPACE
    end = at + 1
  }
  const digits = (value: number) => {
    let at = end + (value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : String(value).length)
    end = at
    let rest = value
    do {
      block[--at] = ZERO + (rest % 10)
      rest = Math.floor(rest / 10)
    } while (rest > 0)
  }
  const lineEnd = () => {
    block[end++] = CR
    block[end++] = LF
  }
  const piece = (data: Uint8Array, isKept: boolean) => {
    if (data.length > (isKept ? KEPT_COPIED_BYTES_MAX : COPIED_BYTES_MAX)) {
      cut()
      full.push(data)
      fullBytes += data.length
      return
    }
    for (let at = 0; at < data.length;) {
      if (end === block.length) nextBlock(BLOCK_BYTES)
      const part = Math.min(data.length - at, block.length - end)
      block.set(part === data.length ? data : data.subarray(at, at + part), end)
      end += part
      at += part
    }
  }
  const bytes = (data: Data, isKept: boolean) => {
    if (data instanceof Uint8Array) piece(data, isKept)
    else for (const each of data) piece(each, isKept)
  }

  return {
    get bytes() {
      return fullBytes + end - start
    },
    message(subject, reply, data, headers, isKept = false) {
      const length = subject.length + reply.length
      checkLength(length)
      reserve(length + LINE_BYTES)
      const before = end
      try {
        operation(headers !== null)
        word(subject, 'subject')
        if (reply !== '') word(reply, 'reply subject')
      } catch (error) {
        end = before
        throw error
      }
      if (headers !== null) {
        digits(headers.length)
        block[end++] = SPACE
        digits(headers.length + bytesOf(data))
        lineEnd()
        piece(headers, isKept)
      } else {
        digits(bytesOf(data))
        lineEnd()
      }
      bytes(data, isKept)
      reserve(2)
      lineEnd()
    },
    lines(text) {
      reserve(Buffer.byteLength(text))
      end += block.write(text, end)
    },
    take() {
      cut()
      const pieces = full
      full = []
      fullBytes = 0
      taken = filled
      filled = []
      return pieces
    },
    recycle() {
      for (const each of taken)
        if (each.length === BLOCK_BYTES && spare.length < SPARE_BLOCKS_MAX) spare.push(each)
      taken = []
      if (end > start || full.length > 0) return
      if (block.length > BLOCK_BYTES) block = newBlock(BLOCK_BYTES)
      start = end = 0
    },
  }
}

/** How many bytes a payload has. */
export function bytesOf(data: Data): number {
  if (data instanceof Uint8Array) return data.length
  let bytes = 0
  for (const { length } of data) bytes += length
  return bytes
}

function newBlock(bytes: number): Buffer<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes))
}
