const INVALID = 0xff
const PADDING = 0x3d
/** Six bits of each letter. */
const BITS = (() => {
  const bits = new Uint8Array(256).fill(INVALID)
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  for (let i = 0; i < letters.length; i++) bits[letters.charCodeAt(i)] = i
  return bits
})()

/**
 * Base64 whose sender may have encoded, and padded, it piece by piece. One pass and one buffer: a body may be nothing
 * but pieces of one byte.
 *
 * @returns null when it is no base64.
 */
export function decodeBase64Pieces(text: Uint8Array): Buffer | null {
  const decoded = Buffer.allocUnsafe(Math.ceil((text.length * 3) / 4))
  let length = 0
  let bits = 0
  /** Letters of the current group of four. */
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] as number
    if (letter === PADDING) {
      if (count === 1) return null
      count = 0
      continue
    }
    const six = BITS[letter] as number
    if (six === INVALID) return null
    bits = ((bits << 6) | six) & 0xffff
    // Each letter but the first of its group completes a byte.
    if (count > 0) decoded[length++] = (bits >> (6 - 2 * count)) & 0xff
    count = (count + 1) % 4
  }
  return count === 1 ? null : decoded.subarray(0, length)
}
