/** Archives that no tool writes: types, headers, extended headers, framing and bombs. */
import { gzipSync } from 'node:zlib'
import {
  krtOf,
  paxPart,
  paxRecord,
  SAMPLE_FILES,
  tarOf,
  tarPart,
  type TarPart,
} from '@kre/bundle/testing'
import { bundleWith, type HostileInput, noise, sampleParts } from './hostile-input.ts'

const MIB = 1024 * 1024

const TYPES: [string, string][] = [
  ['a hard link', '1'],
  ['a symbolic link', '2'],
  ['a character device', '3'],
  ['a block device', '4'],
  ['a named pipe', '6'],
  ['a contiguous file', '7'],
  ['a GNU sparse file', 'S'],
  ['a multi-volume part', 'M'],
  ['a GNU dump directory', 'D'],
  ['a volume label', 'V'],
  ['an access list', 'A'],
  ['an old extended header', 'X'],
  ['a long link target', 'K'],
  ['a type nobody knows', '!'],
]

const raw = (content: string): TarPart[] => [{ path: 'p', type: 'x', content }, { path: 'x' }]

const PAX: [string, string, TarPart[]][] = [
  ['an unknown key', 'ARCHIVE_PAX', [paxPart({ evil: 'yes' }), {}]],
  ['a key in capitals', 'ARCHIVE_PAX', [paxPart({ PATH: 'a' }), {}]],
  ['a key named __proto__', 'ARCHIVE_PAX', [paxPart({ ['__proto__']: 'a' }), {}]],
  ['a length that is too short', 'ARCHIVE_PAX', raw('5 path=a\n')],
  ['a length that is too long', 'ARCHIVE_PAX', raw('99 path=a\n')],
  ['a length with a leading zero', 'ARCHIVE_PAX', raw('011 path=ab\n')],
  ['a negative length', 'ARCHIVE_PAX', raw('-9 path=a\n')],
  ['a huge length', 'ARCHIVE_PAX', raw('99999999999999999999 path=a\n')],
  ['no equals sign', 'ARCHIVE_PAX', raw('8 patha\n')],
  ['no line end', 'ARCHIVE_PAX', raw('10 path=ab')],
  ['no body', 'ARCHIVE_PAX', raw('')],
  ['an empty path', 'ARCHIVE_PAX', [paxPart({ path: '' }), {}]],
  ['a NUL in the path', 'ARCHIVE_PAX', [paxPart({ path: 'a\0b' }), {}]],
  ['one key twice', 'ARCHIVE_PAX', raw('9 path=a\n9 path=b\n')],
  ['a size that differs', 'ARCHIVE_PAX', [paxPart({ size: '1' }), { content: 'abc' }]],
  ['a size in base 16', 'ARCHIVE_PAX', [paxPart({ size: '0x3' }), { content: 'abc' }]],
  ['a negative size', 'ARCHIVE_PAX', [paxPart({ size: '-1' }), { content: 'abc' }]],
  ['another character set', 'ARCHIVE_PAX', [paxPart({ hdrcharset: 'BINARY' }), {}]],
  ['more than 64 KiB', 'ARCHIVE_PAX', raw('x'.repeat(65_537))],
  ['two in a row', 'ARCHIVE_PAX', [paxPart({ mtime: '1' }), paxPart({ mtime: '2' }), {}]],
  ['a long name behind it', 'ARCHIVE_PAX', [paxPart({ mtime: '1' }), { type: 'L', content: 'a' }]],
  ['nothing behind it', 'ARCHIVE_TRUNCATED', [paxPart({ mtime: '1' })]],
  ['a sparse file', 'ARCHIVE_TYPE', [paxPart({ 'GNU.sparse.major': '1' }), {}]],
  ['a path for all entries', 'ARCHIVE_TYPE', [paxPart({ path: 'evil' }, 'g'), {}]],
  ['a size for all entries', 'ARCHIVE_TYPE', [paxPart({ size: '0' }, 'g'), {}]],
]

const LONG_NAMES: [string, string, TarPart[]][] = [
  ['empty', 'ARCHIVE_PATH', [{ type: 'L', content: '' }, {}]],
  ['of one NUL', 'ARCHIVE_PATH', [{ type: 'L', content: '\0' }, {}]],
  ['with a NUL within', 'ARCHIVE_PATH', [{ type: 'L', content: 'a\0b\0' }, {}]],
  ['of 300 bytes', 'ARCHIVE_PATH', [{ type: 'L', content: 'l'.repeat(300) }, {}]],
  ['of 65,537 bytes', 'ARCHIVE_PAX', [{ type: 'L', content: 'l'.repeat(65_537) }, {}]],
  ['twice', 'ARCHIVE_PAX', [{ type: 'L', content: 'a' }, { type: 'L', content: 'b' }, {}]],
  ['for nothing', 'ARCHIVE_TRUNCATED', [{ type: 'L', content: 'a' }]],
]

const HEADERS: [string, string, TarPart][] = [
  ['a wrong checksum', 'ARCHIVE_CORRUPT', { checksum: '000001\0 ' }],
  ['a checksum that is no number', 'ARCHIVE_CORRUPT', { checksum: 'abcdefgh' }],
  ['a negative size', 'ARCHIVE_CORRUPT', { size: '-0000000001\0' }],
  ['a size in base 256', 'ARCHIVE_CORRUPT', { size: '\x80\0\0\0\0\0\0\0\0\0\0\u0001' }],
  ['a negative size in base 256', 'ARCHIVE_CORRUPT', { size: '\xff'.repeat(12) }],
  ['a size beyond 2^53 in base 256', 'ARCHIVE_CORRUPT', { size: `\x80${'\x7f'.repeat(11)}` }],
  ['a size with a letter', 'ARCHIVE_CORRUPT', { size: '0000000000a\0' }],
  ['a size with a NUL within', 'ARCHIVE_CORRUPT', { size: '0000\x000000\0\0\0' }],
  ['a size of 8 GiB', 'ARCHIVE_TRUNCATED', { size: '77777777777\0' }],
  ['a mode that is no number', 'ARCHIVE_CORRUPT', { mode: 'rwxr-xr\0' }],
  ['a folder with a size', 'ARCHIVE_CORRUPT', { path: 'd/', type: '5', content: 'x' }],
  ['the old format', 'ARCHIVE_FORMAT', { magic: '\0'.repeat(8) }],
  ['half of a magic', 'ARCHIVE_FORMAT', { magic: 'ustar\0\0\0' }],
]

const good = (): Buffer => krtOf(sampleParts())
const flipped = (at: number): Buffer => {
  const bytes = good()
  const index = at < 0 ? bytes.length + at : at
  bytes[index] = (bytes[index] ?? 0) ^ 0xff
  return bytes
}
const ending = (end: Uint8Array): Buffer => gzipSync(tarOf(sampleParts(), end))
const END = Buffer.alloc(1024)

const FRAMES: [string, string, () => Uint8Array][] = [
  ['nothing at all', 'ARCHIVE_FORMAT', () => Buffer.alloc(0)],
  ['one byte', 'ARCHIVE_FORMAT', () => Buffer.from([0x1f])],
  ['zeros', 'ARCHIVE_FORMAT', () => Buffer.alloc(4096)],
  ['a zip file', 'ARCHIVE_FORMAT', () => Buffer.from('PK\u0003\u0004 and so on')],
  ['noise', 'ARCHIVE_FORMAT', () => noise(10_000)],
  ['compressed text', 'ARCHIVE_FORMAT', () => gzipSync('hello '.repeat(1000))],
  ['an archive in an archive', 'ARCHIVE_FORMAT', () => gzipSync(good())],
  ['compressed ten times', 'ARCHIVE_FORMAT', () => nested(10)],
  ['an empty gzip member', 'ARCHIVE_TRUNCATED', () => gzipSync('')],
  ['a second gzip member', 'ARCHIVE_FORMAT', () => Buffer.concat([good(), good()])],
  ['an empty second member', 'ARCHIVE_FORMAT', () => Buffer.concat([good(), gzipSync('')])],
  ['a tar in two members', 'ARCHIVE_FORMAT', split],
  [
    'a byte behind the gzip member',
    'ARCHIVE_FORMAT',
    () => Buffer.concat([good(), END.subarray(1)]),
  ],
  ['a wrong checksum', 'ARCHIVE_FORMAT', () => flipped(-6)],
  ['a wrong length', 'ARCHIVE_FORMAT', () => flipped(-1)],
  ['flags that do not exist', 'ARCHIVE_FORMAT', () => good().fill(0xe0, 3, 4)],
  ['another compression', 'ARCHIVE_FORMAT', () => good().fill(9, 2, 3)],
  ['a gzip name without an end', 'ARCHIVE_FORMAT', () => named('n'.repeat(100_000))],
  ['a gzip header with a wrong checksum', 'ARCHIVE_FORMAT', () => good().fill(2, 3, 4)],
  ['broken deflate data', 'ARCHIVE_CORRUPT', () => good().fill(0xff, 10, 40)],
  ['cut in its gzip header', 'ARCHIVE_TRUNCATED', () => good().subarray(0, 7)],
  ['cut in its middle', 'ARCHIVE_TRUNCATED', () => good().subarray(0, 200)],
  ['cut in its trailer', 'ARCHIVE_TRUNCATED', () => good().subarray(0, -3)],
  ['a tar cut in a file', 'ARCHIVE_TRUNCATED', () => tarOf(sampleParts()).subarray(0, 700)],
  ['no end', 'ARCHIVE_TRUNCATED', () => ending(Buffer.alloc(0))],
  ['one zero block', 'ARCHIVE_TRUNCATED', () => ending(END.subarray(512))],
  ['an entry behind one zero block', 'ARCHIVE_TRAILING', () => ending(after(512))],
  ['an entry behind the end', 'ARCHIVE_TRAILING', () => ending(after(1024))],
  ['a byte behind the end', 'ARCHIVE_TRAILING', () => ending(Buffer.concat([END, Buffer.of(1)]))],
  ['2 MiB of zeros behind the end', 'ARCHIVE_TRAILING', () => ending(Buffer.alloc(2 * MIB))],
  ['only an end', 'MANIFEST_MISSING', () => gzipSync(END)],
  ['folders only', 'MANIFEST_MISSING', () => krtOf([{ path: 'a/', type: '5' }])],
]

function nested(depth: number): Buffer {
  return depth === 0 ? good() : gzipSync(nested(depth - 1))
}

function split(): Buffer {
  const tar = tarOf(sampleParts())
  return Buffer.concat([gzipSync(tar.subarray(0, 1024)), gzipSync(tar.subarray(1024))])
}

function named(name: string): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3])
  return Buffer.concat([header, Buffer.from(name), good().subarray(10)])
}

function after(zeros: number): Buffer {
  return Buffer.concat([Buffer.alloc(zeros), tarOf([{ path: 'evil' }])])
}

const BOMBS: [string, string, () => Uint8Array][] = [
  ['zeros', 'ARCHIVE_TRAILING', () => gzipSync(Buffer.alloc(40 * MIB))],
  ['a file of zeros', 'ARCHIVE_BOMB', () => bundleWith({ content: Buffer.alloc(40 * MIB) })],
  ['zeros behind the end', 'ARCHIVE_TRAILING', () => ending(Buffer.alloc(40 * MIB))],
  ['10,001 files', 'ARCHIVE_TOO_MANY', () => krtOf(many(10_001, (i) => [{ path: `f${i}` }]))],
  [
    '10,001 folders',
    'ARCHIVE_TOO_MANY',
    () => krtOf(many(10_001, (i) => [{ path: `d${i}/`, type: '5' }])),
  ],
  [
    '5,001 files with extended headers',
    'ARCHIVE_TOO_MANY',
    () => krtOf(many(5_001, (i) => [paxPart({ mtime: '1' }), { path: `f${i}` }])),
  ],
  ['300 extended headers of 5,000 records', 'ARCHIVE_PAX', records],
]

function many(count: number, parts: (index: number) => TarPart[]): TarPart[] {
  return Array.from({ length: count }, (_, index) => parts(index)).flat()
}

/** 1.5 million records of a few bytes, and noise so that it is no bomb by its ratio. */
function records(): Buffer {
  let content = ''
  for (let i = 0; content.length < 65_000; i += 1)
    content += paxRecord([`SCHILY.${i.toString(36)}`, ''])
  const header = tarPart({ path: 'p', type: 'x', content })
  const parts = Array.from({ length: 300 }, (_, i) => [header, tarPart({ path: `f${i}` })])
  return gzipSync(
    Buffer.concat([tarPart({ path: 'noise', content: noise(MIB) }), ...parts.flat(), END]),
    { level: 1 },
  )
}

const { 'kre.yaml': manifest = '', ...others } = SAMPLE_FILES
const parts = (files: Record<string, string>): TarPart[] =>
  Object.entries(files).map(([path, content]) => ({ path, content }))

const MANIFESTS: [string, string, TarPart[]][] = [
  ['no manifest', 'MANIFEST_MISSING', parts(others)],
  [
    'two manifests',
    'MANIFEST_AMBIGUOUS',
    [...sampleParts(), { path: 'krt.yml', content: manifest }],
  ],
  ['a manifest in a folder', 'MANIFEST_MISSING', parts({ ...others, 'a/kre.yaml': manifest })],
  [
    'a manifest as a folder',
    'MANIFEST_MISSING',
    [...parts(others), { path: 'kre.yaml/', type: '5' }],
  ],
  [
    'a manifest behind a macOS name',
    'MANIFEST_MISSING',
    parts({ ...others, '._kre.yaml': manifest }),
  ],
]

export const HOSTILE_ARCHIVES: readonly HostileInput[] = [
  ...TYPES.map(([what, type]) => ({
    name: `type: ${what}`,
    code: 'ARCHIVE_TYPE',
    bytes: () => bundleWith({ path: 'a', type, linkPath: '/etc/passwd' }),
  })),
  ...PAX.map(([what, code, entries]) => ({
    name: `extended header: ${what}`,
    code,
    bytes: () =>
      krtOf([...entries, ...sampleParts()].slice(0, code === 'ARCHIVE_TRUNCATED' ? 1 : 99)),
  })),
  ...LONG_NAMES.map(([what, code, entries]) => ({
    name: `long name: ${what}`,
    code,
    bytes: () => bundleWith(...entries),
  })),
  ...HEADERS.map(([what, code, part]) => ({
    name: `header: ${what}`,
    code,
    bytes: () => bundleWith(part),
  })),
  ...FRAMES.map(([what, code, bytes]) => ({ name: `frame: ${what}`, code, bytes })),
  ...BOMBS.map(([what, code, bytes]) => ({ name: `bomb: ${what}`, code, bytes })),
  ...MANIFESTS.map(([what, code, entries]) => ({
    name: `manifest: ${what}`,
    code,
    bytes: () => krtOf(entries),
  })),
]
