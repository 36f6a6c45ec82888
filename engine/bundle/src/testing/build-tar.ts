/** Builds tar archives byte by byte, including those no tool would write. */
import { gzipSync } from 'node:zlib'

export type TarPart = {
  path?: string | Uint8Array
  content?: string | Uint8Array
  type?: string
  mode?: string
  /** In the header; default the length of the content. */
  size?: number | string
  prefix?: string
  linkPath?: string
  magic?: string
  checksum?: string
}

const BLOCK = 512

/** Header, content and padding of one entry. */
export function tarPart(part: TarPart): Buffer {
  const content = Buffer.from(part.content ?? '')
  const block = Buffer.alloc(BLOCK)
  Buffer.from(part.path ?? 'file').copy(block, 0, 0, 100)
  block.write(part.mode ?? '0000644\0', 100, 8, 'latin1')
  block.write('0000000\0', 108, 8, 'latin1')
  block.write('0000000\0', 116, 8, 'latin1')
  const size = part.size ?? content.byteLength
  const sizeText = typeof size === 'string' ? size : `${size.toString(8).padStart(11, '0')}\0`
  block.write(sizeText, 124, 12, 'latin1')
  block.write('00000000000\0', 136, 12, 'latin1')
  block.write(part.type ?? '0', 156, 1, 'latin1')
  block.write(part.linkPath ?? '', 157, 100, 'utf8')
  block.write(part.magic ?? 'ustar\u000000', 257, 8, 'latin1')
  block.write(part.prefix ?? '', 345, 155, 'utf8')
  block.write('        ', 148, 8, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(part.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1')
  const padding = (BLOCK - (content.byteLength % BLOCK)) % BLOCK
  return Buffer.concat([block, content, Buffer.alloc(padding)])
}

export function tarOf(
  parts: readonly TarPart[],
  end: Uint8Array = Buffer.alloc(2 * BLOCK),
): Buffer {
  return Buffer.concat([...parts.map(tarPart), end])
}

export function krtOf(parts: readonly TarPart[]): Buffer {
  return gzipSync(tarOf(parts))
}

/** A pax extended header (`x`), or a global one (`g`). */
export function paxPart(records: Record<string, string>, type = 'x'): TarPart {
  return { path: 'PaxHeader', type, content: Object.entries(records).map(paxRecord).join('') }
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
export function paxRecord([key, value]: readonly [string, string]): string {
  const rest = ` ${key}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  let length = bytes + String(bytes).length
  if (String(length).length !== String(bytes).length) length = bytes + String(length).length
  return `${length}${rest}`
}
