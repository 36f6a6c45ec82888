// Reads PNG pictures with nothing but Node: every colour type and depth, no interlacing.
import { promisify } from 'node:util'
import { crc32, inflate } from 'node:zlib'
import { TerminalError } from '@kre/sdk'

/** Three bytes a pixel, row by row. */
export type Picture = { width: number; height: number; rgb: Uint8Array }

/** Decoded it takes up to eight bytes a pixel, so this bounds the memory of one call. */
export const PIXELS_MAX = 16_000_000

const inflateAsync = promisify(inflate)
const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
const [TRUE_COLOUR, PALETTE, GREY_ALPHA, TRUE_COLOUR_ALPHA] = [2, 3, 4, 6] as const
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }
const DEPTHS: Record<number, number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
}

type Header = { width: number; height: number; depth: number; colour: number; channels: number }
type Parts = { header: Header; palette: Buffer; alphas: Buffer; compressed: Buffer }

/**
 * What is transparent lies on white; of 16 bits a channel the upper 8 stay; a transparent colour key is not looked at.
 *
 * @throws TerminalError for what is no PNG, is damaged, interlaced, or larger than PIXELS_MAX.
 */
export async function decodePng(bytes: Uint8Array): Promise<Picture> {
  const parts = readParts(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  const { width, height, depth, channels } = parts.header
  const rowBytes = Math.ceil((width * channels * depth) / 8)
  const expected = height * (rowBytes + 1)
  // No header can make it inflate more than its own width and height ask for.
  const filtered = await inflateAsync(parts.compressed, { maxOutputLength: expected }).catch(
    (cause: Error) => {
      throw new TerminalError(`the picture's data can't be decompressed: ${cause.message}`, {
        cause,
      })
    },
  )
  if (filtered.length !== expected) {
    throw new TerminalError(`the picture's data ends after ${filtered.length} of ${expected} bytes`)
  }
  const rows = unfilter(filtered, rowBytes, Math.max(1, (channels * depth) >> 3))
  return { width, height, rgb: toRgb(parts, rows, rowBytes) }
}

function readParts(file: Buffer): Parts {
  if (!file.subarray(0, 8).equals(SIGNATURE)) {
    throw new TerminalError(
      `the picture is no PNG file: its ${file.length} bytes don't begin as one`,
    )
  }
  let header: Header | undefined
  let palette: Buffer = Buffer.alloc(0)
  let alphas: Buffer = Buffer.alloc(0)
  const data: Buffer[] = []
  for (const { type, body } of chunks(file)) {
    if (header === undefined && type !== 'IHDR')
      throw new TerminalError(`the picture begins with ${type}, not IHDR`)
    if (type === 'IHDR') header = readHeader(body)
    else if (type === 'PLTE') palette = body
    else if (type === 'tRNS') alphas = body
    else if (type === 'IDAT') data.push(body)
    else if (/^[A-Z]/.test(type))
      throw new TerminalError(`the picture needs the unknown extension ${type}`)
  }
  if (header === undefined) throw new TerminalError('the picture has no header')
  if (header.colour === PALETTE && palette.length < 3)
    throw new TerminalError('the picture lacks its palette')
  return { header, palette, alphas, compressed: Buffer.concat(data) }
}

/** The chunks before IEND, each with a right checksum. */
function* chunks(file: Buffer): Generator<{ type: string; body: Buffer }> {
  for (let at = SIGNATURE.length; at + 12 <= file.length;) {
    const end = at + 8 + file.readUInt32BE(at)
    if (end + 4 > file.length) break
    const type = file.toString('latin1', at + 4, at + 8)
    if (
      !/^[A-Za-z]{4}$/.test(type) ||
      crc32(file.subarray(at + 4, end)) !== file.readUInt32BE(end)
    ) {
      throw new TerminalError(`the picture is damaged at byte ${at}: wrong checksum`)
    }
    if (type === 'IEND') return
    yield { type, body: file.subarray(at + 8, end) }
    at = end + 4
  }
  throw new TerminalError(`the picture is cut off: its ${file.length} bytes have no end mark`)
}

function readHeader(body: Buffer): Header {
  if (body.length !== 13)
    throw new TerminalError(`the picture's header has ${body.length} bytes, not 13`)
  const [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)]
  const [depth, colour, compression, filter, interlace] = body.subarray(8) as unknown as [
    number,
    number,
    number,
    number,
    number,
  ]
  if (width === 0 || height === 0 || width * height > PIXELS_MAX) {
    throw new TerminalError(
      `the picture has ${width} x ${height} pixels; 1 to ${PIXELS_MAX} can be read`,
    )
  }
  const channels = CHANNELS[colour]
  if (
    channels === undefined ||
    !DEPTHS[colour]?.includes(depth) ||
    compression !== 0 ||
    filter !== 0
  ) {
    throw new TerminalError(
      `the picture's format (colour type ${colour}, ${depth} bits) is not PNG's`,
    )
  }
  if (interlace !== 0)
    throw new TerminalError('the picture is interlaced: save it without interlacing')
  return { width, height, depth, colour, channels }
}

/** Undoes the filter of each row (PNG specification, section 9), in place. @returns the rows without filter bytes. */
function unfilter(filtered: Buffer, rowBytes: number, step: number): Uint8Array {
  const rows = new Uint8Array((filtered.length / (rowBytes + 1)) * rowBytes)
  for (let from = 0, to = 0; from < filtered.length; from += rowBytes + 1, to += rowBytes) {
    const kind = filtered[from] as number
    if (kind > 4)
      throw new TerminalError(
        `the picture is damaged: row ${to / rowBytes} has the unknown filter ${kind}`,
      )
    for (let i = 0; i < rowBytes; i++) {
      const left = i < step ? 0 : (rows[to + i - step] as number)
      const up = to === 0 ? 0 : (rows[to + i - rowBytes] as number)
      const corner = i < step || to === 0 ? 0 : (rows[to + i - rowBytes - step] as number)
      rows[to + i] = (filtered[from + 1 + i] as number) + predict(kind, left, up, corner)
    }
  }
  return rows
}

function predict(kind: number, left: number, up: number, corner: number): number {
  if (kind === 0) return 0
  if (kind === 1) return left
  if (kind === 2) return up
  if (kind === 3) return (left + up) >> 1
  const [toLeft, toUp, toCorner] = [
    Math.abs(up - corner),
    Math.abs(left - corner),
    Math.abs(left + up - 2 * corner),
  ]
  if (toLeft <= toUp && toLeft <= toCorner) return left
  return toUp <= toCorner ? up : corner
}

function toRgb({ header, palette, alphas }: Parts, rows: Uint8Array, rowBytes: number): Uint8Array {
  const { width, height, depth, colour, channels } = header
  const rgb = new Uint8Array(width * height * 3)
  const scale = colour === PALETTE || depth > 8 ? 1 : 255 / (2 ** depth - 1)
  const next = colour === TRUE_COLOUR || colour === TRUE_COLOUR_ALPHA ? 1 : 0
  for (let y = 0, to = 0; y < height; y++) {
    const row = rows.subarray(y * rowBytes, (y + 1) * rowBytes)
    for (let x = 0; x < width; x++) {
      const at = x * channels
      const index = colour === PALETTE ? sample(row, at, depth) : 0
      const alpha =
        colour === PALETTE
          ? (alphas[index] ?? 255)
          : colour >= GREY_ALPHA
            ? sample(row, at + channels - 1, depth)
            : 255
      for (let channel = 0; channel < 3; channel++) {
        const value =
          colour === PALETTE
            ? (palette[index * 3 + channel] ?? 0)
            : sample(row, at + channel * next, depth) * scale
        rgb[to++] = 255 + ((value - 255) * alpha) / 255
      }
    }
  }
  return rgb
}

/** The value at `index` of a row; of 16 bits the upper 8. */
function sample(row: Uint8Array, index: number, depth: number): number {
  if (depth === 8) return row[index] as number
  if (depth === 16) return row[index * 2] as number
  const bit = index * depth
  return ((row[bit >> 3] as number) >> (8 - depth - (bit & 7))) & (2 ** depth - 1)
}
