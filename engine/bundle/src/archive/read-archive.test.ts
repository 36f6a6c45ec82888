import { deflateRawSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { krtOf, paxPart, tarOf, type TarPart } from '../testing/build-tar.ts'
import { readInMemory } from '../testing/read-in-memory.ts'

const ok: TarPart = { path: 'kre.yaml', content: 'version: a\n' }

async function codeOf(archive: Uint8Array, options = {}): Promise<string> {
  const result = await readInMemory(archive, options)
  return 'bundle' in result ? 'accepted' : result.code
}

async function pathsOf(archive: Uint8Array, options = {}): Promise<string[]> {
  const result = await readInMemory(archive, options)
  if ('code' in result) throw new Error(`${result.code}: ${result.message}`)
  return result.bundle.files.map(({ path }) => path)
}

describe('readArchive on ordinary archives', () => {
  test('reads gzip and plain tar alike, in chunks of any size', async () => {
    const parts = [ok, { path: 'src/a.py', content: 'x'.repeat(700) }]
    for (const chunkBytes of [1, 7, 511, 512, 513, 65_536]) {
      expect(await pathsOf(tarOf(parts), { chunkBytes })).toEqual(['kre.yaml', 'src/a.py'])
      expect(await pathsOf(krtOf(parts), { chunkBytes })).toEqual(['kre.yaml', 'src/a.py'])
    }
  })

  test('reads a gzip header with name, comment, extra field and header checksum', async () => {
    const plain = gzipSync(tarOf([ok]))
    const header = Buffer.from([0x1f, 0x8b, 8, 0x1c, 0, 0, 0, 0, 0, 3])
    const fields = Buffer.from('\u0003\u0000abcname.tar\0a comment\0', 'latin1')
    expect(await pathsOf(Buffer.concat([header, fields, plain.subarray(10)]))).toEqual(['kre.yaml'])
  })

  test.each([
    [
      'a leading "./" and the root itself',
      [{ path: './', type: '5' }, { path: './a.py' }],
      ['a.py'],
    ],
    ['a root named "."', [{ path: '.', type: '5' }, { path: './a.py' }], ['a.py']],
    ['files whose folders come later', [{ path: 'a/b' }, { path: 'a/', type: '5' }], ['a/b']],
    [
      'a folder that is listed twice',
      [
        { path: 'a/', type: '5' },
        { path: 'a', type: '5' },
      ],
      [],
    ],
    ['the prefix field', [{ path: 'b.py', prefix: 'src/a' }], ['src/a/b.py']],
    ['a GNU header', [{ path: 'a.py', magic: 'ustar  \0' }], ['a.py']],
    ['the old type of a regular file', [{ path: 'a.py', type: '\0' }], ['a.py']],
    ['a pax path', [paxPart({ path: 'src/é.py', mtime: '1.5' }), { path: 'x' }], ['src/é.py']],
    ['a pax size that agrees', [paxPart({ size: '3' }), { path: 'x', content: 'abc' }], ['x']],
    ['extended attributes', [paxPart({ 'SCHILY.xattr.user.a': '\0\u0001' }), { path: 'x' }], ['x']],
    [
      'a GNU long name',
      [{ type: 'L', content: `${'l'.repeat(150)}\0` }, { path: 'x' }],
      ['l'.repeat(150)],
    ],
    [
      'the header of git archive',
      [paxPart({ comment: 'a'.repeat(40) }, 'g'), { path: 'x' }],
      ['x'],
    ],
    [
      'names with spaces and letters of any script',
      [{ path: 'docs/Über uns 日本.md' }],
      ['docs/Über uns 日本.md'],
    ],
    ['an emoji with a variation selector', [{ path: '❤️.txt' }], ['❤️.txt']],
    [
      'names that only begin like a device',
      [{ path: 'console.py' }, { path: 'common.py' }],
      ['console.py', 'common.py'],
    ],
  ] satisfies [string, TarPart[], string[]][])('accepts %s', async (_what, parts, paths) => {
    expect(await pathsOf(krtOf(parts))).toEqual(paths)
  })

  test('keeps the executable bit and nothing else of the mode', async () => {
    const result = await readInMemory(
      krtOf([
        { path: 'a', mode: '0006755\0' },
        { path: 'b', mode: '0000666\0' },
      ]),
    )
    expect('bundle' in result && result.bundle.files.map((file) => file.executable)).toEqual([
      true,
      false,
    ])
  })

  test('leaves AppleDouble files out, with a warning', async () => {
    const result = await readInMemory(krtOf([ok, { path: 'src/._a.py' }, { path: '._kre.yaml' }]))
    if ('code' in result) throw new Error(result.message)
    expect(result.bundle.files.map(({ path }) => path)).toEqual(['kre.yaml'])
    expect(result.bundle.issues).toMatchObject([{ code: 'ARCHIVE_APPLEDOUBLE', level: 'warning' }])
  })

  test('allows 1 MiB of zeros behind the end, as big tar records need', async () => {
    expect(await codeOf(tarOf([ok], Buffer.alloc(1_024 + 1_048_576)))).toBe('accepted')
    expect(await codeOf(tarOf([ok], Buffer.alloc(1_024 + 1_048_577)))).toBe('ARCHIVE_TRAILING')
  })
})

const ESCAPES = [
  '../evil.py',
  '..',
  'a/../../evil.py',
  'a/..',
  '/etc/passwd',
  '//server/share',
  './/etc/passwd',
  './../evil',
  '././a',
  'a/./b',
  'a//b',
  'a/',
  '..\\evil.py',
  'a\\..\\b',
  'C:\\evil.py',
  'C:evil.py',
  'c:/evil.py',
  'file:///etc/passwd',
  'a/.. /b',
  'a/.../b',
  '. ',
  ' ',
  '',
  'con',
  'CON',
  'nul.txt',
  'src/aux.py',
  'COM1.tar.gz',
  'lpt9',
  'com¹',
  'CONIN$',
  'a.',
  'a ',
  'dir./a',
  'dir /a',
  'a\nb',
  'a\rb',
  'a\tb',
  'a\u0007b',
  'a\u001b[31mb',
  'a\u007fb',
  'a\u0085b',
  'a\u200bb',
  'a\u200db',
  'a\u202eb',
  'a\u2066b',
  'a\ufeffb',
  'a\u2028b',
  'a\u00adb',
  'a\u3164b',
  'a\u115fb',
  'a\ue000b',
  'e\u0301.py',
  'a*b',
  'a?b',
  'a"b',
  'a<b',
  'a>b',
  'a|b',
  'a:b',
  '\uff0e\uff0e/\u202ea',
]

describe('readArchive on paths', () => {
  test.each(ESCAPES.map((path) => [JSON.stringify(path), path]))(
    'refuses %s in a header, a pax record and a long name',
    async (_shown, path) => {
      expect(await codeOf(krtOf([{ path }]))).toBe('ARCHIVE_PATH')
      expect(await codeOf(krtOf([paxPart({ path }), { path: 'x' }]))).toMatch(
        path === '' ? /^ARCHIVE_PAX$/ : /^ARCHIVE_PATH$/,
      )
      expect(await codeOf(krtOf([{ type: 'L', content: `${path}\0` }, { path: 'x' }]))).toBe(
        'ARCHIVE_PATH',
      )
    },
  )

  test.each([
    ['a directory', [{ path: '../a/', type: '5' }]],
    ['an absolute directory', [{ path: '/', type: '5' }]],
    ['bytes that are not UTF-8', [{ path: Buffer.from([0x61, 0xff, 0xfe]) }]],
    ['an overlong "/"', [{ path: Buffer.from([0x2e, 0x2e, 0xc0, 0xaf, 0x61]) }]],
    ['a lone surrogate', [{ path: Buffer.from([0xed, 0xa0, 0x80]) }]],
    ['bytes hidden behind a NUL', [{ path: 'good.py\0../evil' }]],
    ['a prefix that leads out', [{ path: 'a', prefix: '..' }]],
    ['a long name with a NUL within', [{ type: 'L', content: 'a\0b\0' }, { path: 'x' }]],
    ['17 segments', [{ path: 'a/'.repeat(16) + 'a' }]],
    ['241 bytes', [paxPart({ path: `${'a'.repeat(120)}/${'b'.repeat(120)}` }), { path: 'x' }]],
  ] satisfies [string, TarPart[]][])('refuses %s', async (_what, parts) => {
    expect(await codeOf(krtOf(parts))).toBe('ARCHIVE_PATH')
  })

  test('allows exactly 240 bytes and 16 segments', async () => {
    const long = `${'a'.repeat(119)}/${'b'.repeat(120)}`
    expect(await pathsOf(krtOf([paxPart({ path: long }), { path: 'x' }]))).toEqual([long])
    const deep = 'a/'.repeat(15) + 'a'
    expect(await pathsOf(krtOf([{ path: deep }]))).toEqual([deep])
  })
})

describe('readArchive on duplicates', () => {
  test.each([
    ['the same file twice', [{ path: 'a' }, { path: 'a' }]],
    ['the same file behind "./"', [{ path: 'a' }, { path: './a' }]],
    ['names that differ by case', [{ path: 'src/A.py' }, { path: 'src/a.py' }]],
    ['folders that differ by case', [{ path: 'Src/a.py' }, { path: 'src/b.py' }]],
    [
      'listed folders that differ by case',
      [
        { path: 'Src/', type: '5' },
        { path: 'src/', type: '5' },
      ],
    ],
    ['names that fold to one', [{ path: 'straße' }, { path: 'STRASSE' }]],
    ['ligatures', [{ path: 'ﬁle' }, { path: 'file' }]],
    ['sigmas', [{ path: 'ΣΑΣ' }, { path: 'σας' }]],
    ['a file where a folder is', [{ path: 'a/b' }, { path: 'a' }]],
    ['a folder where a file is', [{ path: 'a' }, { path: 'a/', type: '5' }]],
    ['a file below a file', [{ path: 'a' }, { path: 'a/b/c' }]],
  ] satisfies [string, TarPart[]][])('refuses %s', async (_what, parts) => {
    expect(await codeOf(krtOf(parts))).toBe('ARCHIVE_DUPLICATE')
  })
})

describe('readArchive on types', () => {
  test.each([
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
    ['an ACL', 'A'],
    ['an old extended header', 'X'],
    ['a long link target', 'K'],
    ['a type nobody knows', '!'],
  ])('refuses %s', async (_what, type) => {
    const result = await readInMemory(krtOf([{ path: 'a', type, linkPath: '/etc/passwd' }]))
    expect(result).toMatchObject({ code: 'ARCHIVE_TYPE', message: expect.stringContaining('"a"') })
  })

  test('tells which option of tar packs files in place of links', async () => {
    expect(await readInMemory(krtOf([{ path: 'a', type: '2' }]))).toMatchObject({
      message: expect.stringContaining('SymbolicLink'),
      hint: expect.stringContaining('--dereference'),
    })
  })

  test.each([
    ['another comment', { comment: 'hello' }],
    ['a path for every entry', { path: 'evil' }],
    ['a size for every entry', { size: '0' }],
  ])('refuses a global header with %s', async (_what, records) => {
    expect(await codeOf(krtOf([paxPart(records, 'g'), ok]))).toBe('ARCHIVE_TYPE')
  })

  test('refuses a global header behind the first entry', async () => {
    expect(await codeOf(krtOf([ok, paxPart({ comment: 'a'.repeat(40) }, 'g')]))).toBe(
      'ARCHIVE_TYPE',
    )
  })

  test('refuses a sparse file in pax form', async () => {
    expect(await codeOf(krtOf([paxPart({ 'GNU.sparse.major': '1' }), ok]))).toBe('ARCHIVE_TYPE')
  })
})

describe('readArchive on pax headers', () => {
  const raw = (content: string | Uint8Array): TarPart[] => [{ path: 'p', type: 'x', content }, ok]

  test.each([
    ['an unknown key', raw('13 evil=yes\n\n')],
    ['an unknown key of right length', [paxPart({ evil: 'yes' }), ok]],
    ['a key in capitals', [paxPart({ PATH: 'a' }), ok]],
    ['a length that is too short', raw('5 path=a\n')],
    ['a length that is too long', raw('99 path=a\n')],
    ['a length with a leading zero', raw('011 path=ab\n')],
    ['a negative length', raw('-9 path=a\n')],
    ['a huge length', raw('99999999999999999999 path=a\n')],
    ['no equals sign', raw('8 patha\n')],
    ['no line end', raw('10 path=ab')],
    ['an empty body', raw('')],
    ['an empty path', [paxPart({ path: '' }), ok]],
    ['a NUL in the path', [paxPart({ path: 'a\0b' }), ok]],
    ['one key twice', [{ path: 'p', type: 'x', content: '9 path=a\n9 path=b\n' }, ok]],
    ['a size that differs', [paxPart({ size: '1' }), { path: 'x', content: 'abc' }]],
    ['a size that is no number', [paxPart({ size: '0x3' }), { path: 'x', content: 'abc' }]],
    ['a negative size', [paxPart({ size: '-1' }), { path: 'x', content: 'abc' }]],
    ['another character set', [paxPart({ hdrcharset: 'BINARY' }), ok]],
    ['more than 64 KiB', raw('x'.repeat(65_537))],
    ['two in a row', [paxPart({ mtime: '1' }), paxPart({ mtime: '2' }), ok]],
    ['a long name behind it', [paxPart({ mtime: '1' }), { type: 'L', content: 'a\0' }, ok]],
  ] satisfies [string, TarPart[]][])('refuses %s', async (_what, parts) => {
    expect(await codeOf(krtOf(parts))).toBe('ARCHIVE_PAX')
  })

  test('refuses one that describes nothing', async () => {
    expect(await codeOf(krtOf([ok, paxPart({ mtime: '1' })]))).toBe('ARCHIVE_TRUNCATED')
  })
})

describe('readArchive on damaged archives', () => {
  const good = krtOf([ok, { path: 'a.bin', content: Buffer.alloc(5_000, 7) }])
  const plain = tarOf([ok, { path: 'a.bin', content: Buffer.alloc(5_000, 7) }])

  test('refuses every shortened gzip archive', async () => {
    for (let length = 0; length < good.byteLength; length += 1)
      expect(await codeOf(good.subarray(0, length))).toMatch(/^ARCHIVE_(?:TRUNCATED|FORMAT)$/)
  })

  test('refuses a plain tar cut at each block', async () => {
    for (let length = 512; length < plain.byteLength; length += 512)
      expect(await codeOf(plain.subarray(0, length))).toBe('ARCHIVE_TRUNCATED')
  })

  test.each([
    ['one byte behind the gzip member', Buffer.concat([good, Buffer.from([0])])],
    ['a second gzip member', Buffer.concat([good, krtOf([{ path: 'evil' }])])],
    ['an empty second member', Buffer.concat([good, gzipSync('')])],
    ['a reserved gzip flag', Buffer.from(good).fill(0xe0, 3, 4)],
    ['another compression method', Buffer.from(good).fill(9, 2, 3)],
    ['a wrong checksum', flipped(good, good.byteLength - 6)],
    ['a wrong length', flipped(good, good.byteLength - 1)],
    ['a zip file', Buffer.from('PK\u0003\u0004 and so on')],
    ['text', Buffer.from('version: v1\n'.repeat(100))],
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(2_048)],
    ['a header without magic', tarOf([{ path: 'a', magic: '\0'.repeat(8) }])],
    ['an entry in the old format', krtOf([ok, { path: 'b', magic: '\0'.repeat(8) }])],
    ['gzip of something else', gzipSync('hello world '.repeat(100))],
  ])('refuses %s as no archive', async (_what, archive) => {
    expect(await codeOf(archive)).toBe('ARCHIVE_FORMAT')
  })

  test('names what the file is instead', async () => {
    expect(await readInMemory(Buffer.from('PK\u0003\u0004 …'))).toMatchObject({
      message: expect.stringContaining('zip'),
    })
  })

  test.each([
    ['a wrong header checksum', krtOf([{ ...ok, checksum: '000001\0 ' }])],
    ['a checksum that is no number', krtOf([{ ...ok, checksum: 'abcdefgh' }])],
    ['a negative size', krtOf([{ ...ok, size: '-0000000001\0' }])],
    ['a size in base 256', krtOf([{ ...ok, size: '\x80\0\0\0\0\0\0\0\0\0\0\u0001' }])],
    ['a size with a letter', krtOf([{ ...ok, size: '0000000000a\0' }])],
    ['a mode that is no number', krtOf([{ ...ok, mode: 'rwxr-xr\0' }])],
    ['a directory with a size', krtOf([{ path: 'a/', type: '5', content: 'x' }])],
    ['broken deflate data', Buffer.concat([good.subarray(0, 10), Buffer.alloc(50, 0xff)])],
  ])('refuses %s', async (_what, archive) => {
    expect(await codeOf(archive)).toBe('ARCHIVE_CORRUPT')
  })

  test.each([
    ['no end', tarOf([ok], Buffer.alloc(0))],
    ['one zero block', tarOf([ok], Buffer.alloc(512))],
    ['less content than the header says', tarOf([{ path: 'a', size: 100_000 }])],
  ])('refuses %s', async (_what, archive) => {
    expect(await codeOf(archive)).toBe('ARCHIVE_TRUNCATED')
  })

  test.each([
    ['an entry behind one zero block', Buffer.concat([Buffer.alloc(512), tarOf([ok])])],
    ['an entry behind the end', Buffer.concat([Buffer.alloc(1_024), tarOf([ok])])],
    ['a byte behind the end', Buffer.concat([Buffer.alloc(1_024), Buffer.from('x')])],
  ])('refuses %s', async (_what, end) => {
    expect(await codeOf(tarOf([ok], end))).toBe('ARCHIVE_TRAILING')
  })
})

describe('readArchive on sizes', () => {
  test('counts the upload as it comes', async () => {
    const archive = krtOf([ok])
    const size = archive.byteLength
    expect(await codeOf(archive, { limits: { compressedBytesMax: size } })).toBe('accepted')
    expect(await codeOf(archive, { limits: { compressedBytesMax: size - 1 } })).toBe(
      'ARCHIVE_TOO_LARGE',
    )
  })

  test('stops a bomb by its size', async () => {
    const archive = krtOf([{ path: 'a', content: Buffer.alloc(100_000) }])
    const size = tarOf([{ path: 'a', content: Buffer.alloc(100_000) }]).byteLength
    expect(await codeOf(archive, { limits: { uncompressedBytesMax: size } })).toBe('accepted')
    expect(await codeOf(archive, { limits: { uncompressedBytesMax: size - 1 } })).toBe(
      'ARCHIVE_BOMB',
    )
  })

  test('stops a bomb by its ratio before it has expanded', async () => {
    const archive = krtOf([{ path: 'a', content: Buffer.alloc(40_000_000) }])
    expect(await codeOf(archive)).toBe('ARCHIVE_BOMB')
    expect(await codeOf(krtOf([{ path: 'a', content: Buffer.alloc(15_000_000) }]))).toBe('accepted')
  })

  test('stops a header that announces more than there is room for', async () => {
    expect(await codeOf(krtOf([{ path: 'a', size: '77777777777\0' }]))).toBe('ARCHIVE_TRUNCATED')
  })

  test('counts entries of every kind', async () => {
    const parts = [paxPart({ mtime: '1' }), ok, { path: 'd/', type: '5' }]
    expect(await codeOf(krtOf(parts), { limits: { entriesMax: 3 } })).toBe('accepted')
    expect(await codeOf(krtOf(parts), { limits: { entriesMax: 2 } })).toBe('ARCHIVE_TOO_MANY')
  })

  test('does not unpack an archive within an archive', async () => {
    expect(await pathsOf(krtOf([{ path: 'inner.tgz', content: krtOf([ok]) }]))).toEqual([
      'inner.tgz',
    ])
  })

  test('passes on what the source throws', async () => {
    const raw = deflateRawSync('x')
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield krtOf([ok]).subarray(0, 20)
      await Promise.resolve(raw)
      throw new Error('connection reset')
    }
    const { readArchive } = await import('./read-archive.ts')
    const { createMemoryStore } = await import('../testing/read-in-memory.ts')
    const { DEFAULT_LIMITS } = await import('../limits.ts')
    await expect(readArchive(failing(), createMemoryStore(), DEFAULT_LIMITS)).rejects.toThrow(
      'connection reset',
    )
  })
})

describe('readArchive on random damage', () => {
  const seedArchive = krtOf([
    ok,
    paxPart({ path: 'src/long.py', mtime: '1.25' }),
    { path: 'x', content: 'print(1)\n'.repeat(50) },
    { type: 'L', content: `${'d/'.repeat(10)}file\0`, magic: 'ustar  \0' },
    { path: 'y', content: 'y', magic: 'ustar  \0' },
  ])
  const seedTar = tarOf([
    ok,
    paxPart({ path: 'src/long.py', mtime: '1.25' }),
    { path: 'x', content: 'print(1)\n'.repeat(50) },
    { type: 'L', content: `${'d/'.repeat(10)}file\0`, magic: 'ustar  \0' },
    { path: 'y', content: 'y', magic: 'ustar  \0' },
  ])

  test('answers each of 2,000 mutants with a verdict', async () => {
    const random = createRandom(20_261_121)
    let accepted = 0
    for (let round = 0; round < 2_000; round += 1) {
      const mutant = mutate(round % 2 === 0 ? seedTar : seedArchive, random)
      const result = await readInMemory(mutant, { chunkBytes: 1 + random(600) })
      if ('bundle' in result) {
        accepted += 1
        for (const { path } of result.bundle.files) expect(path).not.toMatch(/^\/|\.\.|\\/)
      } else expect(result.code).toMatch(/^ARCHIVE_/)
    }
    expect(accepted).toBeLessThan(2_000)
  })

  test('answers mutants whose header checksums are right', async () => {
    const random = createRandom(7)
    for (let round = 0; round < 1_000; round += 1) {
      const result = await readInMemory(withChecksums(mutate(seedTar, random)))
      if ('code' in result) expect(result.code).toMatch(/^ARCHIVE_/)
    }
  })
})

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 0xff
  return copy
}

/** Numbers below `max`, the same in every run. */
function createRandom(seed: number): (max: number) => number {
  let state = seed
  return (max) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * max)
  }
}

function mutate(seed: Buffer, random: (max: number) => number): Buffer {
  let bytes = Buffer.from(seed)
  for (let count = 1 + random(4); count > 0; count -= 1) {
    const at = random(bytes.byteLength)
    switch (random(5)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
        break
      case 1:
        bytes[at] = random(256)
        break
      case 2:
        bytes = bytes.subarray(0, at)
        break
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(600))])
        break
      default: {
        const from = random(bytes.byteLength)
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          bytes.subarray(from, from + random(1_024)),
          bytes.subarray(at),
        ])
      }
    }
  }
  return bytes
}

/** Repairs the checksum of every block that looks like a header, so that the rules behind it are reached. */
function withChecksums(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  for (let start = 0; start + 512 <= copy.byteLength; start += 512) {
    const block = copy.subarray(start, start + 512)
    if (block.toString('latin1', 257, 262) !== 'ustar') continue
    block.write('        ', 148, 8, 'latin1')
    const sum = block.reduce((total, byte) => total + byte, 0)
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1')
  }
  return copy
}
