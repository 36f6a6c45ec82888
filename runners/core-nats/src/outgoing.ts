/** What is to be sent, in the form of the protocol, gathered into few large pieces. */
import { KiB } from '@kre/contracts/runtime'
import { checkLength, refusedSubject } from './subject.ts'

/** Room for what a busy turn of the event loop publishes; more goes into further blocks. */
const BLOCK_BYTES = 64 * KiB
/** Larger payloads are handed over as they are: copying them costs more than another piece in a write. */
const COPIED_BYTES_MAX = 64 * KiB
/** `HPUB `, spaces, two numbers and the line end. */
const LINE_BYTES = 32

const SPACE = 32
const TILDE = 126
const CR = 13
const LF = 10
const ZERO = 48

export type Outgoing = {
  /** Adds a message. Payloads of more than 64 KiB must not be changed any more. @throws KreError `invalid-argument`. */
  message(subject: string, reply: string, data: Uint8Array, headers: Uint8Array | null): void
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

  const cut = () => {
    if (end === start) return
    full.push(block.subarray(start, end))
    fullBytes += end - start
    start = end
  }
  const reserve = (bytes: number) => {
    if (block.length - end >= bytes) return
    cut()
    block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes))
    start = end = 0
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
  const bytes = (data: Uint8Array) => {
    if (data.length <= COPIED_BYTES_MAX) {
      reserve(data.length + 2)
      block.set(data, end)
      end += data.length
      return
    }
    cut()
    full.push(data)
    fullBytes += data.length
    reserve(2)
  }

  return {
    get bytes() {
      return fullBytes + end - start
    },
    message(subject, reply, data, headers) {
      const length = subject.length + reply.length
      checkLength(length)
      reserve(length + LINE_BYTES + (data.length <= COPIED_BYTES_MAX ? data.length + 2 : 0))
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
        digits(headers.length + data.length)
        lineEnd()
        bytes(headers)
      } else {
        digits(data.length)
        lineEnd()
      }
      bytes(data)
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
      return pieces
    },
    recycle() {
      if (end > start || full.length > 0) return
      if (block.length > BLOCK_BYTES) block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
      start = end = 0
    },
  }
}
