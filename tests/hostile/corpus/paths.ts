/** Names that lead out of the bundle, that systems take for something else, or that two files share. */
import { escapeUnprintable } from '@kre/contracts'
import { paxPart, type TarPart } from '@kre/bundle/testing'
import { bundleWith, type HostileInput } from './hostile-input.ts'

const REFUSED = [
  '../evil.py',
  '..',
  'a/../../evil.py',
  'docs/../../../etc/cron.d/evil',
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
  'c:/evil.py',
  'file:///etc/passwd',
  'a:stream',
  'a/.. /b',
  'a/.../b',
  ' ',
  'CON',
  'nul.txt',
  'nul .txt',
  'src/aux.py',
  'COM1.tar.gz',
  'com¹',
  'CLOCK$',
  'CONOUT$',
  'a.',
  'dir /a',
  'a\nb',
  'a\rb',
  'a\u001b[31mb',
  'a\u0085b',
  'a\u200bb',
  'a\u202efdp.py',
  'a\u2066b',
  'a\ufeffb',
  'a\u2028b',
  'a\u3164b',
  'a\ue000b',
  'e\u0301.py',
  'a*b',
  'a|b',
  `${'a/'.repeat(16)}a`,
  'docs/../README.md',
  'docs/..',
]

const RAW: [string, TarPart][] = [
  ['bytes that are no UTF-8', { path: Buffer.from([0x61, 0xff, 0xfe]) }],
  ['an overlong slash', { path: Buffer.from([0x2e, 0x2e, 0xc0, 0xaf, 0x61]) }],
  ['half of a character', { path: Buffer.from([0xed, 0xa0, 0x80]) }],
  ['bytes hidden behind a NUL', { path: 'good.py\0../evil' }],
  ['a prefix that leads out', { path: 'a', prefix: '..' }],
  ['an absolute prefix', { path: 'a', prefix: '/etc' }],
  ['a folder that leads out', { path: '../a/', type: '5' }],
  ['the root of the computer as a folder', { path: '/', type: '5' }],
]

const SHARED: [string, TarPart[]][] = [
  ['the same file twice', [{ path: 'a' }, { path: 'a' }]],
  ['the same file behind "./"', [{ path: 'a' }, { path: './a' }]],
  ['a second manifest', [{ path: 'kre.yaml' }]],
  ['a manifest in capitals', [{ path: 'KRE.yaml' }]],
  ['names that differ by case', [{ path: 'lib/A.py' }, { path: 'lib/a.py' }]],
  ['folders that differ by case', [{ path: 'Src/a.py' }]],
  ['sharp s', [{ path: 'straße' }, { path: 'STRASSE' }]],
  ['capital sharp s', [{ path: 'STRAẞE' }, { path: 'straße' }]],
  ['ligatures', [{ path: 'ﬁle' }, { path: 'file' }]],
  ['sigmas', [{ path: 'ΣΑΣ' }, { path: 'σας' }]],
  ['a dotted capital i', [{ path: 'İ' }, { path: 'i\u0307' }]],
  ['a file where a folder is', [{ path: 'src' }]],
  ['a folder where a file is', [{ path: 'kre.yaml/', type: '5' }]],
  ['a file below a file', [{ path: 'kre.yaml/a/b' }]],
  ['docs as file and folder', [{ path: 'docs/README.md' }, { path: 'docs' }]],
]

function shown(path: string): string {
  return escapeUnprintable(JSON.stringify(path))
}

export const HOSTILE_PATHS: readonly HostileInput[] = [
  ...REFUSED.map((path) => ({
    name: `path: ${shown(path)}`,
    code: 'ARCHIVE_PATH',
    bytes: () => bundleWith({ path }),
  })),
  ...REFUSED.filter((_, index) => index % 5 === 0).map((path) => ({
    name: `path: ${shown(path)} in a pax header`,
    code: 'ARCHIVE_PATH',
    bytes: () => bundleWith(paxPart({ path }), { path: 'x' }),
  })),
  ...REFUSED.filter((_, index) => index % 5 === 1).map((path) => ({
    name: `path: ${shown(path)} as a GNU long name`,
    code: 'ARCHIVE_PATH',
    bytes: () => bundleWith({ type: 'L', content: `${path}\0` }, { path: 'x' }),
  })),
  ...RAW.map(([what, part]) => ({
    name: `path: ${what}`,
    code: 'ARCHIVE_PATH',
    bytes: () => bundleWith(part),
  })),
  {
    name: 'path: 241 bytes',
    code: 'ARCHIVE_PATH',
    bytes: () => bundleWith(paxPart({ path: `${'a'.repeat(120)}/${'b'.repeat(120)}` }), {}),
  },
  ...SHARED.map(([what, parts]) => ({
    name: `names: ${what}`,
    code: 'ARCHIVE_DUPLICATE',
    bytes: () => bundleWith(...parts),
  })),
]
