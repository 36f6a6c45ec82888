/** The part of the protobuf wire format that KRE's own messages need (protobuf.dev/programming-guides/encoding). */
import { KreError } from '../errors.ts'

const utf8 = new TextEncoder()

/** Appends fields to one growing buffer. Fields at their default (0, empty) are left out, as proto3 does. */
export class ProtoWriter {
  #buffer: Uint8Array
  #at = 0

  constructor(bytesExpected = 256) {
    this.#buffer = new Uint8Array(bytesExpected)
  }

  /** Bytes so far. */
  get length(): number {
    return this.#at
  }

  /** An unsigned integer, 0 .. 2^53-1. */
  uint(field: number, value: number): void {
    if (value === 0) return
    this.#reserve(16)
    this.#varint(field << 3)
    this.#varint(value)
  }

  string(field: number, value: string): void {
    if (value === '') return
    // UTF-8 takes at most 3 bytes per UTF-16 unit.
    this.#reserve(value.length * 3 + 16)
    this.#varint((field << 3) | 2)
    if (value.length <= 0x7f && this.#ascii(value)) return
    const encoded = utf8.encode(value)
    this.#varint(encoded.length)
    this.#buffer.set(encoded, this.#at)
    this.#at += encoded.length
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length === 0) return
    this.#reserve(value.length + 16)
    this.#varint((field << 3) | 2)
    this.#varint(value.length)
    this.#buffer.set(value, this.#at)
    this.#at += value.length
  }

  /** The start of a field whose bytes are not written here; tell `endMessage` of them. */
  bytesStart(field: number, length: number): void {
    this.#reserve(16)
    this.#varint((field << 3) | 2)
    this.#varint(length)
  }

  /** Starts an embedded message; give the result to `endMessage`. */
  beginMessage(field: number): number {
    this.#reserve(16)
    this.#varint((field << 3) | 2)
    return this.#at++
  }

  /** @param bytesElsewhere of the message that come after what was written here. */
  endMessage(lengthAt: number, bytesElsewhere = 0): void {
    const written = this.#at - lengthAt - 1
    const length = written + bytesElsewhere
    // One byte was kept for the length; a longer one moves the message.
    const extra = varintBytes(length) - 1
    if (extra > 0) {
      this.#reserve(extra)
      this.#buffer.copyWithin(lengthAt + 1 + extra, lengthAt + 1, this.#at)
    }
    this.#at = lengthAt
    this.#varint(length)
    this.#at += written
  }

  /** The message, a view: nothing may be written afterwards. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#at)
  }

  /** The message as a copy: one writer that is restarted for many small messages costs less than one each. */
  finishCopy(): Uint8Array {
    const message = Buffer.allocUnsafe(this.#at)
    message.set(this.#buffer.subarray(0, this.#at))
    return message
  }

  /** Forgets what was written. */
  restart(): this {
    this.#at = 0
    return this
  }

  /** Most strings are short names: written here, they need no encoder and leave no garbage. */
  #ascii(value: string): boolean {
    const buffer = this.#buffer
    const start = this.#at + 1
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) return false
      buffer[start + i] = code
    }
    buffer[this.#at] = value.length
    this.#at = start + value.length
    return true
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#buffer[this.#at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#at++] = rest
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#at + bytes))
    larger.set(this.#buffer.subarray(0, this.#at))
    this.#buffer = larger
  }
}

/** Walks the fields of one message: `while (r.next()) switch (r.field) …`, each case reading or skipping its value. */
export class ProtoReader {
  field = 0
  #wireType = 0
  #at: number
  readonly #end: number
  readonly #buffer: Buffer

  constructor(buffer: Uint8Array, start = 0, end = buffer.length) {
    this.#buffer = Buffer.isBuffer(buffer)
      ? buffer
      : Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length)
    this.#at = start
    this.#end = end
  }

  next(): boolean {
    if (this.#at >= this.#end) return false
    const key = this.#varint()
    this.field = Math.floor(key / 8)
    this.#wireType = key % 8
    if (this.field === 0) throw malformed('field number 0')
    return true
  }

  uint(): number {
    this.#expect(0)
    return this.#varint()
  }

  string(): string {
    this.#expect(2)
    const start = this.#take(this.#varint())
    return start === this.#at ? '' : this.#buffer.toString('utf8', start, this.#at)
  }

  /** A view into the message, not a copy. */
  bytes(): Uint8Array {
    this.#expect(2)
    const start = this.#take(this.#varint())
    return this.#buffer.subarray(start, this.#at)
  }

  /** A reader of an embedded message. */
  message(): ProtoReader {
    this.#expect(2)
    const start = this.#take(this.#varint())
    return new ProtoReader(this.#buffer, start, this.#at)
  }

  skip(): void {
    if (this.#wireType === 0) this.#varint()
    else if (this.#wireType === 1) this.#take(8)
    else if (this.#wireType === 2) this.#take(this.#varint())
    else if (this.#wireType === 5) this.#take(4)
    else throw malformed(`wire type ${this.#wireType}`)
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType)
      throw malformed(`field ${this.field} has wire type ${this.#wireType}`)
  }

  #take(bytes: number): number {
    const start = this.#at
    if (bytes > this.#end - start) throw malformed('the message ends early')
    this.#at = start + bytes
    return start
  }

  #varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      if (this.#at >= this.#end) throw malformed('the message ends early')
      const byte = this.#buffer[this.#at++] as number
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    throw malformed('an integer of more than 10 bytes')
  }
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

function malformed(why: string): KreError {
  return new KreError('invalid-argument', `not a KRE message: ${why}`)
}
