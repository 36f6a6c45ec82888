import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { readBundleTexts } from './read-bundle-texts.ts'

/** One entry of a tar archive. */
function entry(name: string, content: string | Uint8Array, type = '0'): Uint8Array {
  const body = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write(`${body.length.toString(8).padStart(11, '0')} `, 124)
  header.write(type, 156)
  header.write('ustar', 257)
  const padding = Buffer.alloc((512 - (body.length % 512)) % 512)
  return Buffer.concat([header, body, padding])
}
const END = Buffer.alloc(1024)
const bundle = (...entries: Uint8Array[]): Blob => new Blob([gzipSync(Buffer.concat(entries))])
const read = async (blob: Blob, ...names: string[]) =>
  Object.fromEntries(await readBundleTexts(blob, new Set(names)))

describe('readBundleTexts', () => {
  test('finds the files that are asked for, compressed or not', async () => {
    const entries = [entry('./kre.yaml', 'a: 1\n'), entry('src/a.py', 'x'.repeat(1500)), END]
    const expected = { 'kre.yaml': 'a: 1\n', 'src/a.py': 'x'.repeat(1500) }
    expect(await read(bundle(...entries), 'kre.yaml', 'src/a.py', 'no.such')).toEqual(expected)
    expect(await read(new Blob(entries as BlobPart[]), 'kre.yaml', 'src/a.py')).toEqual(expected)
  })

  test('reads names that stand in headers of their own', async () => {
    const long = `${'d/'.repeat(80)}kre.yaml`
    const pax = `path=${long}\n`
    const line = `${pax.length + 4} ${pax}`
    expect(await read(bundle(entry('pax', line, 'x'), entry('short', 'one'), END), long)).toEqual({
      [long]: 'one',
    })
    expect(
      await read(bundle(entry('@', `${long}\0`, 'L'), entry('short', 'two'), END), long),
    ).toEqual({ [long]: 'two' })
  })

  test('takes the first of two files of one name, and no link for a file', async () => {
    const archive = bundle(
      entry('kre.yaml', '', '2'),
      entry('kre.yaml', 'one'),
      entry('kre.yaml', 'two'),
      END,
    )
    expect(await read(archive, 'kre.yaml')).toEqual({ 'kre.yaml': 'one' })
  })

  test('leaves out what is too large to be shown', async () => {
    const large = entry('large.py', new Uint8Array(600 * 1024))
    expect(await read(bundle(large, entry('kre.yaml', 'a'), END), 'large.py', 'kre.yaml')).toEqual({
      'kre.yaml': 'a',
    })
  })

  test('shows what it found before the archive turned out to be damaged', async () => {
    const whole = gzipSync(
      Buffer.concat([entry('kre.yaml', 'a: 1'), entry('b', 'x'.repeat(9000)), END]),
    )
    const cut = new Blob([whole.subarray(0, whole.length - 12)])
    expect(await read(cut, 'kre.yaml', 'b.py')).toEqual({ 'kre.yaml': 'a: 1' })
  })

  test.each([
    ['nothing', new Uint8Array(0)],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n'.padEnd(2000, 'x'), 'latin1')],
    ['what only begins like gzip', Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3)],
    ['a size that is none', Buffer.from(entry('kre.yaml', 'a')).fill('9', 124, 135)],
  ])('finds nothing in %s', async (_, bytes) => {
    expect(await read(new Blob([bytes as BlobPart]), 'kre.yaml')).toEqual({})
  })
})
