/** How many bytes of a character follow its first one; -1 for a byte that begins none. */
function bytesBehind(first: number): number {
  if (first < 0x80) return 0
  if (first >= 0xc2 && first <= 0xdf) return 1
  if (first >= 0xe0 && first <= 0xef) return 2
  return first >= 0xf0 && first <= 0xf4 ? 3 : -1
}

/** Bounds of the second byte, which keep out longer forms than needed, halves of pairs, and what is above U+10FFFF. */
function isSecond(first: number, second: number): boolean {
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  return second >= lowest && second <= highest
}

function isCharacter(data: Uint8Array, at: number, behind: number): boolean {
  if (behind < 0 || at + behind >= data.length) return false
  for (let i = 1; i <= behind; i += 1) {
    const byte = data[at + i] ?? 0
    if (i === 1 ? !isSecond(data[at] ?? 0, byte) : byte < 0x80 || byte > 0xbf) return false
  }
  return true
}

/** `\\xff`: within a JSON text a backslash is written as two. */
const ESCAPED_BYTES = 5

/**
 * JSON text of bytes that are meant to be JSON in UTF-8: each byte that is part of no character becomes the text `\xff`
 * with its number, so that a line of a program that prints binary data can be read, and nothing of it is lost.
 */
export function escapeBytes(data: Uint8Array): string {
  const text = Buffer.allocUnsafe(data.length * ESCAPED_BYTES)
  let length = 0
  for (let at = 0; at < data.length;) {
    const byte = data[at] ?? 0
    const behind = bytesBehind(byte)
    if (isCharacter(data, at, behind)) {
      text.set(data.subarray(at, at + behind + 1), length)
      at += behind + 1
      length += behind + 1
    } else {
      length += text.write(`\\\\x${byte.toString(16).padStart(2, '0')}`, length, 'latin1')
      at += 1
    }
  }
  return text.toString('utf8', 0, length)
}
