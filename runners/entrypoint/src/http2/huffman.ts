/** Decoding of HPACK's Huffman code (RFC 7541, 5.2 and appendix B). */
import { H2_ERROR, Http2ConnectionError } from './protocol.ts'

/**
 * The code is canonical: codes of one length are consecutive and in the order of their symbols, so that the lengths
 * say all. One row per length: bits, then the symbols of that length. Symbol 256 ends a string.
 */
const SYMBOLS_OF_LENGTH: [bits: number, symbols: number[]][] = [
  [5, [48, 49, 50, 97, 99, 101, 105, 111, 115, 116]],
  [
    6,
    [
      32, 37, 45, 46, 47, 51, 52, 53, 54, 55, 56, 57, 61, 65, 95, 98, 100, 102, 103, 104, 108, 109,
      110, 112, 114, 117,
    ],
  ],
  [
    7,
    [
      58, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87,
      89, 106, 107, 113, 118, 119, 120, 121, 122,
    ],
  ],
  [8, [38, 42, 44, 59, 88, 90]],
  [10, [33, 34, 40, 41, 63]],
  [11, [39, 43, 124]],
  [12, [35, 62]],
  [13, [0, 36, 64, 91, 93, 126]],
  [14, [94, 125]],
  [15, [60, 96, 123]],
  [19, [92, 195, 208]],
  [20, [128, 130, 131, 162, 184, 194, 224, 226]],
  [21, [153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230]],
  [
    22,
    [
      129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187,
      189, 190, 196, 198, 228, 232, 233,
    ],
  ],
  [
    23,
    [
      1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168,
      174, 175, 180, 182, 183, 188, 191, 197, 231, 239,
    ],
  ],
  [24, [9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237]],
  [25, [199, 207, 234, 235]],
  [26, [192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255]],
  [
    27,
    [203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254],
  ],
  [
    28,
    [
      2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30,
      31, 127, 220, 249,
    ],
  ],
  [30, [10, 13, 22, 256]],
]

const EOS = 256
const LEAF = 0x8000

/** Two entries per inner node, one for each next bit: the index of a node, or a symbol with `LEAF` set; 0 = none. */
const tree = buildTree()

function buildTree(): Uint16Array {
  const nodes = new Uint16Array(2 * (EOS + 1))
  let nodeCount = 1
  let code = 0
  let codeBits = 0
  for (const [bits, symbols] of SYMBOLS_OF_LENGTH) {
    for (const symbol of symbols) {
      code <<= bits - codeBits
      codeBits = bits
      let node = 0
      for (let bit = bits - 1; bit > 0; bit--) {
        const at = node * 2 + ((code >>> bit) & 1)
        if (nodes[at] === 0) nodes[at] = nodeCount++
        node = nodes[at] as number
      }
      nodes[node * 2 + (code & 1)] = symbol | LEAF
      code++
    }
  }
  return nodes
}

/**
 * Decodes `source[start, end)` into `target`.
 *
 * @param target has room for the longest result: 8 / 5 of the source's length.
 * @returns the number of bytes written.
 * @throws Http2ConnectionError COMPRESSION_ERROR for a padding that is no prefix of the end symbol, or is too long.
 */
export function decodeHuffman(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  let written = 0
  let node = 0
  let bitsOfSymbol = 0
  let isPadding = true
  for (let at = start; at < end; at++) {
    const byte = source[at] as number
    for (let bit = 7; bit >= 0; bit--) {
      const value = (byte >>> bit) & 1
      const next = tree[node * 2 + value] as number
      bitsOfSymbol++
      if (value === 0) isPadding = false
      if ((next & LEAF) === 0) {
        node = next
        continue
      }
      const symbol = next & ~LEAF
      if (symbol === EOS) throw malformed('the end symbol inside a string')
      target[written++] = symbol
      node = 0
      bitsOfSymbol = 0
      isPadding = true
    }
  }
  if (bitsOfSymbol > 7 || !isPadding) throw malformed('the padding of a string')
  return written
}

function malformed(what: string): Http2ConnectionError {
  return new Http2ConnectionError(H2_ERROR.compressionError, `malformed Huffman code: ${what}`)
}
