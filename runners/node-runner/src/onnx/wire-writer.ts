/** Appends encoded protobuf values to one growing buffer. */
export class WireWriter {
  #buffer: Buffer
  #at = 0

  constructor(bytesExpected: number) {
    this.#buffer = Buffer.allocUnsafe(Math.max(bytesExpected, 64))
  }

  key(field: number, wireType: number): void {
    this.varint(field * 8 + wireType, 0)
  }

  /** The low and the high 32 bits of an integer. */
  varint(low: number, high: number): void {
    this.#reserve(10)
    let lo = low >>> 0
    let hi = high >>> 0
    while (hi !== 0 || lo > 0x7f) {
      this.#buffer[this.#at++] = (lo & 0x7f) | 0x80
      lo = ((lo >>> 7) | (hi << 25)) >>> 0
      hi >>>= 7
    }
    this.#buffer[this.#at++] = lo
  }

  fixed32(bits: number): void {
    this.#reserve(4)
    this.#at = this.#buffer.writeInt32LE(bits | 0, this.#at)
  }

  fixed64(low: number, high: number): void {
    this.fixed32(low)
    this.fixed32(high)
  }

  float(value: number): void {
    this.#reserve(4)
    this.#at = this.#buffer.writeFloatLE(value, this.#at)
  }

  double(value: number): void {
    this.#reserve(8)
    this.#at = this.#buffer.writeDoubleLE(value, this.#at)
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** Bytes behind their length. */
  delimited(bytes: Uint8Array): void {
    this.varint(bytes.length, 0)
    this.raw(bytes)
  }

  /** A view: nothing may be written afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}
