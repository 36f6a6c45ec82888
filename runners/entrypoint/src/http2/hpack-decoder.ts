/** Header compression, the receiving side (RFC 7541). */
import { STATIC_TABLE } from './hpack-static-table.ts'
import { decodeHuffman } from './huffman.ts'
import { H2_ERROR, Http2ConnectionError } from './protocol.ts'

/** Size of the dynamic table that senders may use; the protocol's default, so it needs no announcement. */
const TABLE_BYTES_MAX = 4096
/** What an entry costs beside its name and value (RFC 7541, 4.1). */
const ENTRY_BYTES = 32
const NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/
// oxlint-disable-next-line no-control-regex -- the standard forbids exactly these characters
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/

type Entry = {
  readonly name: string
  readonly value: string
  /** Against the rules of RFC 9113, 8.2.1: the request that uses it is malformed. */
  readonly isMalformed: boolean
}

export type DecodedHeaders = {
  /** Name, value, name, value … */
  readonly fields: string[]
  readonly isMalformed: boolean
  /** Of the whole list, counted as the standard does. */
  readonly listBytes: number
  /** The list is longer than allowed, and `fields` is incomplete; a `content-type` is in it all the same. */
  readonly isTooLarge: boolean
}

const staticTable: readonly Entry[] = STATIC_TABLE.map(([name, value]) => ({
  name,
  value,
  isMalformed: false,
}))

/** Keeps the dynamic table of one connection; blocks must be decoded in the order of their arrival. */
export class HpackDecoder {
  /** The newest entry is the last one. */
  readonly #table: Entry[] = []
  #tableBytes = 0
  #tableBytesMax = TABLE_BYTES_MAX
  #block: Buffer = Buffer.alloc(0)
  #at = 0

  /**
   * @param listBytesMax limit of the decoded list, counted as the standard does: 32 bytes per entry are added.
   * @throws Http2ConnectionError COMPRESSION_ERROR; the connection's state is lost then.
   */
  decode(block: Buffer, listBytesMax: number): DecodedHeaders {
    this.#block = block
    this.#at = 0
    const fields: string[] = []
    let isMalformed = false
    let listBytes = 0
    while (this.#at < block.length) {
      const first = block[this.#at] as number
      if ((first & 0xe0) === 0x20) {
        if (fields.length > 0) throw malformed('a table size update after a field')
        this.#resize(this.#integer(5))
        continue
      }
      const entry = (first & 0x80) === 0 ? this.#literal(first) : this.#indexed(this.#integer(7))
      if (entry.isMalformed) isMalformed = true
      listBytes += sizeOf(entry)
      if (listBytes <= listBytesMax || entry.name === 'content-type')
        fields.push(entry.name, entry.value)
    }
    return { fields, isMalformed, listBytes, isTooLarge: listBytes > listBytesMax }
  }

  #literal(first: number): Entry {
    const isIndexed = (first & 0x40) !== 0
    const nameIndex = this.#integer(isIndexed ? 6 : 4)
    const name = nameIndex === 0 ? this.#string() : this.#indexed(nameIndex).name
    const value = this.#string()
    const isMalformed = (nameIndex === 0 && !NAME.test(name)) || BAD_VALUE.test(value)
    const entry = { name, value, isMalformed }
    if (isIndexed) this.#add(entry)
    return entry
  }

  #indexed(index: number): Entry {
    const entry =
      index <= staticTable.length
        ? staticTable[index - 1]
        : this.#table[this.#table.length - (index - staticTable.length)]
    if (entry === undefined) throw malformed(`index ${index} is not in the table`)
    return entry
  }

  #add(entry: Entry): void {
    this.#evict(this.#tableBytesMax - sizeOf(entry))
    // An entry larger than the table empties it and is not kept.
    if (sizeOf(entry) > this.#tableBytesMax) return
    this.#table.push(entry)
    this.#tableBytes += sizeOf(entry)
  }

  #resize(bytes: number): void {
    if (bytes > TABLE_BYTES_MAX) throw malformed(`a table of ${bytes} bytes`)
    this.#tableBytesMax = bytes
    this.#evict(bytes)
  }

  #evict(bytesMax: number): void {
    let count = 0
    while (this.#tableBytes > bytesMax && count < this.#table.length)
      this.#tableBytes -= sizeOf(this.#table[count++] as Entry)
    if (count > 0) this.#table.splice(0, count)
  }

  /** RFC 7541, 5.1. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1
    let value = this.#byte() & mask
    if (value < mask) return value
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte()
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw malformed('an integer of more than 28 bits')
  }

  /** RFC 7541, 5.2. */
  #string(): string {
    const isHuffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0
    const length = this.#integer(7)
    const start = this.#at
    const end = start + length
    if (end > this.#block.length) throw malformed('a string ends after its block')
    this.#at = end
    if (!isHuffman) return this.#block.toString('latin1', start, end)
    const decoded = Buffer.allocUnsafe(Math.ceil((length * 8) / 5))
    return decoded.toString('latin1', 0, decodeHuffman(this.#block, start, end, decoded))
  }

  #byte(): number {
    const byte = this.#block[this.#at++]
    if (byte === undefined) throw malformed('the block ends inside a field')
    return byte
  }
}

function sizeOf(entry: Entry): number {
  return entry.name.length + entry.value.length + ENTRY_BYTES
}

function malformed(what: string): Http2ConnectionError {
  return new Http2ConnectionError(H2_ERROR.compressionError, `malformed header block: ${what}`)
}
