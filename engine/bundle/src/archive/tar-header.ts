/**
 * One 512-byte tar header, read strictly. Checksum and type names come from the `tar` package;
 * names and numbers are read here, because its decoding is lenient (it repairs UTF-8 and ignores stray bytes).
 */
import { Header } from 'tar/header'
import { BundleRejection, printable } from '../issues.ts'

export const BLOCK_BYTES = 512

export type TarHeader = {
  /** As in the header: prefix joined, nothing else done to it. */
  readonly path: string
  readonly typeFlag: string
  /** For messages, for example `SymbolicLink`. */
  readonly typeName: string
  readonly size: number
  readonly executable: boolean
}

const OWNER_EXECUTE = 0o100
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws BundleRejection `ARCHIVE_FORMAT`, `ARCHIVE_CORRUPT` or `ARCHIVE_PATH` */
export function readTarHeader(block: Uint8Array): TarHeader {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
  const magic = bytes.toString('latin1', 257, 265)
  const posix = magic === 'ustar\u000000'
  if (!posix && magic !== 'ustar  \0')
    throw new BundleRejection(
      'ARCHIVE_FORMAT',
      'a header is neither in ustar nor in GNU format',
      {},
      'pack it with `krectl krt build` or `tar --format=gnu`',
    )
  const parsed = decodeHeader(bytes)
  if (octal(bytes, 148, 8) === null || !parsed.cksumValid)
    throw new BundleRejection('ARCHIVE_CORRUPT', 'the checksum of a tar header is wrong')
  const name = text(bytes, 0, 100)
  const prefix = posix ? text(bytes, 345, 155, 'may be followed by times') : ''
  const path = prefix === '' ? name : `${prefix}/${name}`
  const typeFlag = bytes[156] === 0 ? '0' : String.fromCharCode(bytes[156] ?? 0)
  return {
    path,
    typeFlag,
    typeName: parsed.type,
    size: number(bytes, 124, 12, 'size', path),
    executable: (number(bytes, 100, 8, 'mode', path) & OWNER_EXECUTE) !== 0,
  }
}

/** The package throws for numbers in base 256 that it cannot hold, in fields we have no use for. */
function decodeHeader(bytes: Buffer): Header {
  try {
    return new Header(bytes)
  } catch (cause) {
    throw new BundleRejection('ARCHIVE_CORRUPT', `a tar header cannot be read (${String(cause)})`)
  }
}

/** Decodes a name; a tool that repaired bad bytes would see another name than we do. */
export function decodeName(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes)
  } catch (cause) {
    throw new BundleRejection(
      'ARCHIVE_PATH',
      `path ${printable(Buffer.from(bytes).toString('latin1'))} is not UTF-8 (${String(cause)})`,
    )
  }
}

/** `tar` itself writes access times behind a short prefix; behind a name there is nothing but zeros. */
function text(bytes: Buffer, start: number, length: number, rest?: string): string {
  const field = bytes.subarray(start, start + length)
  const end = field.indexOf(0)
  if (end === -1) return decodeName(field)
  if (rest === undefined && field.subarray(end).some((byte) => byte !== 0))
    throw new BundleRejection(
      'ARCHIVE_PATH',
      `path ${printable(field.subarray(0, end).toString('latin1'))} is followed by hidden bytes`,
    )
  return decodeName(field.subarray(0, end))
}

function number(bytes: Buffer, start: number, length: number, what: string, path: string): number {
  const value = octal(bytes, start, length)
  if (value === null)
    throw new BundleRejection(
      'ARCHIVE_CORRUPT',
      `${what} of ${printable(path)} is not a positive octal number`,
    )
  return value
}

/** Optional spaces, octal digits, then only spaces and NULs; an empty field is 0. */
function octal(bytes: Buffer, start: number, length: number): number | null {
  const match = /^ *([0-7]*)[ \0]*$/.exec(bytes.toString('latin1', start, start + length))
  return match === null ? null : match[1] === '' ? 0 : Number.parseInt(match[1] ?? '', 8)
}
