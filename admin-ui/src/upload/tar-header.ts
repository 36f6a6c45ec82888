/** One block in front of each file of a tar archive. Pure. */
export const TAR_BLOCK_BYTES = 512

export type TarHeader = {
  readonly name: string
  readonly size: number
  /** `long-name` and `extended` speak of the name of the next one. */
  readonly kind: 'file' | 'long-name' | 'extended' | 'other'
}

const KINDS: Readonly<Record<string, TarHeader['kind']>> = {
  '0': 'file',
  '\0': 'file',
  L: 'long-name',
  x: 'extended',
}

/** Null where there is none: the end of the archive, or no archive. */
export function readTarHeader(block: Uint8Array): TarHeader | null {
  const size = text(block, 124, 12).trim()
  if (text(block, 257, 5) !== 'ustar' || !/^[0-7]{1,12}$/.test(size)) return null
  const prefix = text(block, 345, 155)
  const name = text(block, 0, 100)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: Number.parseInt(size, 8),
    kind: KINDS[String.fromCharCode(block[156] ?? 0)] ?? 'other',
  }
}

function text(block: Uint8Array, from: number, length: number): string {
  const field = block.subarray(from, from + length)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
}
