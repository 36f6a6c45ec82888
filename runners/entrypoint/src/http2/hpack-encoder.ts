/**
 * Header compression, the sending side (RFC 7541), without a dynamic table: a block is the same on every connection,
 * so that those of the hot path are encoded once.
 */
import { STATIC_TABLE } from './hpack-static-table.ts'

const LENGTH_BITS = 7
const LITERAL_BITS = 4
/** "The table has no entries", for peers that ask for a smaller one than the default. */
export const EMPTY_TABLE = Buffer.of(0x20)

const exact = new Map<string, number>()
const byName = new Map<string, number>()
for (const [i, [name, value]] of STATIC_TABLE.entries()) {
  exact.set(`${name}\0${value}`, i + 1)
  if (!byName.has(name)) byName.set(name, i + 1)
}

/** @param fields names in lower case; values in Latin-1. Pseudo-headers first. */
export function encodeHeaders(fields: Iterable<readonly [name: string, value: string]>): Buffer {
  const parts: Buffer[] = []
  for (const [name, value] of fields) {
    const index = exact.get(`${name}\0${value}`)
    if (index !== undefined) {
      parts.push(integer(0x80, LENGTH_BITS, index))
      continue
    }
    const nameIndex = byName.get(name) ?? 0
    parts.push(integer(0, LITERAL_BITS, nameIndex))
    if (nameIndex === 0) parts.push(...string(name))
    parts.push(...string(value))
  }
  return Buffer.concat(parts)
}

function string(text: string): [Buffer, Buffer] {
  const bytes = Buffer.from(text, 'latin1')
  return [integer(0, LENGTH_BITS, bytes.length), bytes]
}

function integer(flags: number, prefixBits: number, value: number): Buffer {
  const mask = (1 << prefixBits) - 1
  if (value < mask) return Buffer.of(flags | value)
  const bytes = [flags | mask]
  let rest = value - mask
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}
