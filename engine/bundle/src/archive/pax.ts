/** Pax extended headers: `<length> <key>=<value>\n` records before the entry they describe. */
import { BundleRejection, printable } from '../issues.ts'
import { decodeName } from './tar-header.ts'

export type PaxAttributes = { readonly path: string | null; readonly size: number | null }

/** What ordinary tools write; only `path` and `size` have a meaning for us. */
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'atime',
  'charset',
  'comment',
  'ctime',
  'gid',
  'gname',
  'hdrcharset',
  'linkpath',
  'mtime',
  'path',
  'size',
  'uid',
  'uname',
])
/** Extended attributes, ACLs, device numbers: dropped, like owners and times. */
const KNOWN_PREFIXES = ['LIBARCHIVE.', 'NODETAR.', 'RHT.security.', 'SCHILY.']
const UTF8_CHARSET = 'ISO-IR 10646 2000 UTF-8'
const ONE_GIT_COMMIT = /^(?:52 comment=[0-9a-f]{40}|76 comment=[0-9a-f]{64})\n$/

/** @throws BundleRejection `ARCHIVE_PAX`, or `ARCHIVE_TYPE` for a sparse file */
export function parsePax(body: Uint8Array): PaxAttributes {
  const records = splitRecords(Buffer.from(body))
  for (const key of records.keys()) checkKey(key)
  const charset = records.get('hdrcharset') ?? records.get('charset')
  if (charset !== undefined && charset.toString('latin1') !== UTF8_CHARSET)
    throw pax(`the names are in character set ${printable(charset.toString('latin1'))}, not UTF-8`)
  const path = records.get('path')
  if (path?.byteLength === 0) throw pax('a pax header gives an empty path')
  return {
    path: path === undefined ? null : decodeName(path),
    size: paxSize(records.get('size')?.toString('latin1')),
  }
}

/** True for the one global header that `git archive` writes: the commit it packed. */
export function isGitArchiveComment(body: Uint8Array): boolean {
  return ONE_GIT_COMMIT.test(Buffer.from(body).toString('latin1'))
}

function splitRecords(body: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>()
  let offset = 0
  while (offset < body.length) {
    const digits = /^([1-9][0-9]{0,5}) /.exec(body.toString('latin1', offset, offset + 7))?.[1]
    if (digits === undefined) throw pax('a pax record does not start with its length')
    const end = offset + Number(digits)
    const start = offset + digits.length + 1
    if (end > body.length || end <= start || body[end - 1] !== 0x0a)
      throw pax('the length of a pax record is wrong')
    const equals = body.indexOf('=', start)
    if (equals === -1 || equals >= end) throw pax('a pax record has no "="')
    const key = decodeName(body.subarray(start, equals))
    const value = body.subarray(equals + 1, end - 1)
    if (records.has(key)) throw pax(`a pax header gives ${printable(key)} twice`)
    if (value.includes(0) && !isDropped(key)) throw pax(`pax ${printable(key)} holds a NUL`)
    records.set(key, value)
    offset = end
  }
  if (records.size === 0) throw pax('a pax header is empty')
  return records
}

function checkKey(key: string): void {
  if (key.startsWith('GNU.sparse.'))
    throw new BundleRejection(
      'ARCHIVE_TYPE',
      'the archive holds a sparse file',
      {},
      'pack it without `tar --sparse`',
    )
  if (!KNOWN_KEYS.has(key) && !isDropped(key)) throw pax(`pax key ${printable(key)} is unknown`)
}

function isDropped(key: string): boolean {
  return KNOWN_PREFIXES.some((prefix) => key.startsWith(prefix))
}

function paxSize(value: string | undefined): number | null {
  if (value === undefined) return null
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(value)) throw pax(`pax size ${printable(value)} is no size`)
  return Number(value)
}

function pax(message: string): BundleRejection {
  return new BundleRejection('ARCHIVE_PAX', message)
}
