import { paxPart, type TarPart } from './build-tar.ts'
import { pick, type Random } from './fuzz.ts'

const NAMES = [
  'a',
  'src',
  'model',
  'x.y',
  'Über',
  '日本',
  '❤️',
  ' a',
  '-rf',
  '$HOME',
  "it's",
  'a b',
  '%2e',
  '~',
  '#1',
  '&&',
  'l'.repeat(90),
  'é'.repeat(45),
]

/** An archive's parts with legal, unusual names, in the forms that tools write them; a name may be there twice. */
export function randomParts(random: Random): TarPart[] {
  const parts: TarPart[] = []
  for (let count = 1 + random(12); count > 0; count -= 1) parts.push(...randomEntry(random))
  return parts
}

function randomEntry(random: Random): TarPart[] {
  const segments = Array.from({ length: 1 + random(4) }, () => pick(random, NAMES))
  const path = `${random(3) === 0 ? './' : ''}${segments.join('/')}${random(1_000)}`
  const mode = pick(random, ['0000644\0', '0000755\0', '0006777\0', '0000000\0'])
  const content = Buffer.alloc(pick(random, [0, 1, 511, 512, 513, 5_000]), `${random(100)}`)
  if (random(8) === 0) return [{ path: `${path.slice(0, 80)}/`, type: '5' }]
  switch (random(3)) {
    case 0:
      return [paxPart({ path, mtime: '1.5' }), { path: 'short', mode, content }]
    case 1:
      return [
        { type: 'L', path: '././@LongLink', content: `${path}\0` },
        { mode, content },
      ]
    default:
      return [{ path: Buffer.byteLength(path) > 100 ? `n${random(1_000)}` : path, mode, content }]
  }
}
