/** Bytes that are meant to be text in UTF-8, and may be anything. Pure. */

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The text of bytes: each one that is part of no character becomes `\xff` with its number, so that a line of a program
 * that prints binary data can be read, and nothing of it is lost.
 *
 * @param backslash as the text is to have it: two of them within the text of a JSON document.
 */
export function spellBytes(data: Uint8Array, backslash = '\\'): string {
  let text = ''
  let begin = 0
  for (let at = 0; at < data.length;) {
    const length = characterLength(data, at)
    if (length > 0) {
      at += length
      continue
    }
    text += utf8.decode(data.subarray(begin, at))
    text += `${backslash}x${(data[at] ?? 0).toString(16).padStart(2, '0')}`
    at += 1
    begin = at
  }
  return text + utf8.decode(data.subarray(begin))
}

/** How many bytes at the end are the begin of a character whose other bytes may follow: 0 to 3. */
export function unfinishedBytes(data: Uint8Array): number {
  const { length } = data
  for (let back = 1; back <= Math.min(3, length); back += 1) {
    const first = data[length - back] ?? 0
    if (isContinuation(first)) continue
    const behind = bytesBehind(first)
    const second = data[length - back + 1]
    return behind >= back && (second === undefined || isSecond(first, second)) ? back : 0
  }
  return 0
}

/** In bytes; 0 where no character begins, or not all of it is there. */
function characterLength(data: Uint8Array, at: number): number {
  const first = data[at] ?? 0
  const behind = bytesBehind(first)
  if (behind < 0 || at + behind >= data.length) return 0
  for (let i = 1; i <= behind; i += 1) {
    const byte = data[at + i] ?? 0
    if (i === 1 ? !isSecond(first, byte) : !isContinuation(byte)) return 0
  }
  return behind + 1
}

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

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte <= 0xbf
}
