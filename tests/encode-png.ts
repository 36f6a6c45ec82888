/** A PNG encoder for tests: what the picture's author, not its reader, does. */
import { crc32, deflateSync } from 'node:zlib'

export type RawPicture = {
  width: number
  height: number
  depth: number
  /** PNG's colour type: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  colour: number
  /** Packed samples, one buffer a row. */
  rows: Uint8Array[]
  /** Bytes from one pixel to the next, at least 1; needed by the filters. */
  step?: number
  /** Filter of each row, 0 to 4, in turn; default none. */
  filters?: number[]
  /** Chunks between header and data. */
  between?: [type: string, body: Uint8Array][]
  interlace?: number
}

export const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

export function encodePng(picture: RawPicture): Buffer {
  const { width, height, depth, colour, rows, filters = [0], step = 1 } = picture
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([depth, colour, 0, 0, picture.interlace ?? 0], 8)
  const filtered = rows.map((row, y) =>
    filterRow(filters[y % filters.length] ?? 0, row, rows[y - 1], step),
  )
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    ...(picture.between ?? []).map(([type, body]) => chunk(type, body)),
    chunk('IDAT', deflateSync(Buffer.concat(filtered))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

export function chunk(type: string, body: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const whole = Buffer.alloc(named.length + 8)
  whole.writeUInt32BE(body.length, 0)
  whole.set(named, 4)
  whole.writeUInt32BE(crc32(named), named.length + 4)
  return whole
}

function filterRow(
  kind: number,
  row: Uint8Array,
  above: Uint8Array | undefined,
  step: number,
): Buffer {
  const bytes = row.map((value, i) => {
    const a = row[i - step] ?? 0
    const b = above?.[i] ?? 0
    const c = i < step ? 0 : (above?.[i - step] ?? 0)
    return value - ([0, a, b, (a + b) >> 1, paeth(a, b, c)][kind] ?? 0)
  })
  return Buffer.concat([Buffer.from([kind]), bytes])
}

/** The neighbour nearest to a + b - c; the earlier one of equals. */
function paeth(a: number, b: number, c: number): number {
  const distance = (value: number): number => Math.abs(a + b - c - value)
  return [a, b, c].reduce((best, value) => (distance(value) < distance(best) ? value : best))
}
