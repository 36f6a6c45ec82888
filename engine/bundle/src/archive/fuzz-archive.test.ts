/** Archives that are nearly right: whole headers, records and frames are changed, and what is summed is summed again. */
import { gzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { ISSUE_CODES } from '@kre/contracts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { paxPart, paxRecord, tarPart, type TarPart } from '../testing/build-tar.ts'
import { fuzz, mutate, pick, type Random } from '../testing/fuzz.ts'
import { readInMemory } from '../testing/read-in-memory.ts'
import { pathProblem } from './entry-path.ts'

const PATHS = [
  'kre.yaml',
  'a',
  './a',
  'A',
  'a/b',
  '../x',
  '/x',
  'a//b',
  'con',
  'é',
  'e\u0301',
  'd/',
  '',
]
const SIZES = [
  undefined,
  0,
  1,
  511,
  513,
  '77777777777\0',
  '-1\0',
  '\x80\0\0\0\0\0\0\0\0\0\0\u0001',
  '',
]
const TYPES = ['0', '0', '0', '5', '\0', '1', '2', 'L', 'K', 'x', 'g', 'S', '7', '!']
const MAGICS = [undefined, undefined, undefined, 'ustar  \0', '\0\0\0\0\0\0\0\0', 'ustar\u00001 ']
const RECORDS = [
  '',
  paxRecord(['path', 'src/é.py']),
  paxRecord(['path', '../x']),
  paxRecord(['size', '3']),
  paxRecord(['mtime', '1.5']),
  paxRecord(['evil', 'x']),
  paxRecord(['GNU.sparse.major', '1']),
  paxRecord(['SCHILY.xattr.user.a', '\0']),
  '5 path=a\n',
  '999999 path=a\n',
]

function randomPart(random: Random): TarPart {
  const type = pick(random, TYPES)
  const size = pick(random, SIZES)
  const magic = pick(random, MAGICS)
  const content = random(4) === 0 ? 'x'.repeat(random(1_500)) : pick(random, RECORDS)
  return {
    path: pick(random, PATHS),
    type,
    content,
    ...(size === undefined || random(3) > 0 ? {} : { size }),
    ...(magic === undefined ? {} : { magic }),
    ...(random(20) === 0 ? { checksum: '0000\0\0\0\0' } : {}),
    ...(random(8) === 0 ? { prefix: pick(random, PATHS) } : {}),
    ...(random(8) === 0 ? { mode: pick(random, ['0000755\0', 'rwx', '\0']) } : {}),
  }
}

function randomArchive(random: Random): Uint8Array {
  const parts: TarPart[] = [{ path: 'kre.yaml', content: 'version: a\n' }]
  for (let count = random(6); count > 0; count -= 1) parts.push(randomPart(random))
  if (random(2) === 0) parts.push(paxPart({ path: 'last' }), { path: 'x', content: 'abc' })
  const blocks = mutate(parts, random, [randomPart(random)]).map(tarPart)
  const end = Buffer.alloc(pick(random, [1_024, 1_024, 1_024, 512, 0, 4_096, 1_025]))
  const tar = Buffer.concat([...blocks, end])
  const archive = random(3) === 0 ? tar : gzipSync(tar, { level: 1 })
  for (let flips = random(4) === 0 ? 1 + random(3) : 0; flips > 0; flips -= 1)
    archive[random(archive.length)] = random(256)
  return random(10) === 0 ? archive.subarray(0, random(archive.length)) : archive
}

test('the archive reader answers whatever it is given, in the same way for chunks of any size', async () => {
  let accepted = 0
  const rounds = await fuzz(async (random) => {
    const archive = randomArchive(random)
    const result = await readInMemory(archive)
    const again = await readInMemory(archive, { chunkBytes: 1 + random(700) })
    if ('code' in result) {
      // Of two faults the first depends on the chunks: damaged compression is seen chunk by chunk.
      expect(again).toHaveProperty('code')
      expect(ISSUE_CODES).toHaveProperty(result.code)
      return
    }
    expect(again).toEqual(result)
    accepted += 1
    const paths = result.bundle.files.map(({ path }) => path)
    expect(paths.map((path) => pathProblem(path, DEFAULT_LIMITS))).toEqual(paths.map(() => null))
    expect(new Set(paths.map((path) => path.toLowerCase())).size).toBe(paths.length)
  })
  expect(rounds).toBeGreaterThan(0)
  if (rounds > 100) expect([accepted > 0, accepted < rounds]).toEqual([true, true])
}, 3_600_000)
