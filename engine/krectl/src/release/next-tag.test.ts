import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { nextTag, type ReleaseKind } from './next-tag.ts'
import { compareLines, formatTag, parseTag, type ProductTag } from './product-tag.ts'

const HISTORIES: Readonly<Record<string, readonly string[]>> = {
  none: [],
  'alphas only': ['v0.0-alpha.0', 'v0.0-alpha.1'],
  'after a release': ['v0.0-alpha.0', 'v0.0.0'],
  'after fixes': ['v0.0-alpha.0', 'v0.0.0', 'v0.1-alpha.0', 'v0.0.1', 'v0.0.2'],
  'two live release branches': ['v0.1.0', 'v0.1.1', 'v0.2.0', 'v0.2.1', 'v0.2.2', 'v0.3-alpha.7'],
  'a gap in the numbers': ['v0.2.0', 'v0.4.0', 'v0.4.3', 'v0.5-alpha.1', 'v0.5-alpha.10'],
}

describe('the next tag', () => {
  test.each<[history: string, kind: ReleaseKind, tag: string, previous: string | null]>([
    ['none', 'alpha', 'v0.0-alpha.0', null],
    ['none', 'release', 'v0.0.0', null],
    ['alphas only', 'alpha', 'v0.0-alpha.2', 'v0.0-alpha.1'],
    ['alphas only', 'release', 'v0.0.0', null],
    ['after a release', 'alpha', 'v0.1-alpha.0', 'v0.0.0'],
    ['after a release', 'release', 'v0.1.0', 'v0.0.0'],
    ['after a release', 'fix', 'v0.0.1', 'v0.0.0'],
    ['after fixes', 'alpha', 'v0.1-alpha.1', 'v0.1-alpha.0'],
    ['after fixes', 'release', 'v0.1.0', 'v0.0.0'],
    ['after fixes', 'fix', 'v0.0.3', 'v0.0.2'],
    ['two live release branches', 'alpha', 'v0.3-alpha.8', 'v0.3-alpha.7'],
    ['two live release branches', 'release', 'v0.3.0', 'v0.2.0'],
    ['two live release branches', 'fix', 'v0.2.3', 'v0.2.2'],
    ['a gap in the numbers', 'alpha', 'v0.5-alpha.11', 'v0.5-alpha.10'],
    ['a gap in the numbers', 'release', 'v0.5.0', 'v0.4.0'],
    ['a gap in the numbers', 'fix', 'v0.4.4', 'v0.4.3'],
  ])('after %p, %s is %s', (history, kind, tag, previous) => {
    expect(nextTag(HISTORIES[history] ?? [], { kind })).toMatchObject({ kind, tag, previous })
  })

  test('of a fix is on the branch that is named', () => {
    const tags = HISTORIES['two live release branches'] ?? []
    expect(nextTag(tags, { kind: 'fix', line: { major: 0, minor: 1 } })).toEqual({
      kind: 'fix',
      tag: 'v0.1.2',
      version: '0.1.2',
      branch: 'release-v0.1',
      isPrerelease: false,
      previous: 'v0.1.1',
    })
  })

  test('can begin a major version, once', () => {
    const first = nextTag(['v0.4.0'], { kind: 'alpha', major: true })
    expect(first).toMatchObject({ tag: 'v1.0-alpha.0', version: '1.0.0-alpha.0' })
    const tags = ['v0.4.0', first.tag]
    expect(nextTag(tags, { kind: 'alpha', major: true }).tag).toBe('v1.0-alpha.1')
    expect(nextTag(tags, { kind: 'release' })).toMatchObject({
      tag: 'v1.0.0',
      branch: 'release-v1.0',
    })
    expect(nextTag(['v1.0.0'], { kind: 'release', major: true }).tag).toBe('v2.0.0')
  })

  test.each([
    [[], null, 'nothing was released'],
    [['v0.0-alpha.3'], null, 'nothing was released'],
    [['v0.1.0'], { major: 0, minor: 2 }, 'v0.2 was never released'],
  ])('of a fix of %j is refused: %j', (tags, line, reason) => {
    expect(() => nextTag(tags, { kind: 'fix', line })).toThrow(reason)
  })

  test.each([
    'v1',
    '1.2.3',
    'v01.2.3',
    'v1.2.3-rc.1',
    'v1.2.3-alpha.1',
    'v1.2-alpha',
    'v1.2-alpha.01',
    'v1.2.3.4',
    'v1.2.3\n',
    'vx.y.z',
    'v1.2.1234567890',
    'kre-1.2.3',
    '',
  ])('does not come from %j', (tag) => {
    expect(parseTag(tag)).toBeNull()
    expect(nextTag([tag], { kind: 'alpha' }).tag).toBe('v0.0-alpha.0')
  })
})

const number = fc.integer({ min: 0, max: 12 })
const productTag: fc.Arbitrary<ProductTag> = fc.oneof(
  fc.record({ kind: fc.constant('alpha' as const), major: number, minor: number, number }),
  fc.record({ kind: fc.constant('release' as const), major: number, minor: number, patch: number }),
)
const history = fc.array(productTag, { maxLength: 30 }).map((tags) => tags.map(formatTag))
const kinds = fc.constantFrom<ReleaseKind[]>('alpha', 'release')

describe('of any history, the next tag', () => {
  test('is read as it is written', () => {
    fc.assert(fc.property(productTag, (tag) => expect(parseTag(formatTag(tag))).toEqual(tag)))
  })

  test('is new, and does not depend on the order of the tags or on foreign ones', () => {
    fc.assert(
      fc.property(history, kinds, fc.boolean(), (tags, kind, major) => {
        const next = nextTag(tags, { kind, major })
        expect(tags).not.toContain(next.tag)
        expect(nextTag(['latest', ...tags.toReversed(), 'v1'], { kind, major })).toEqual(next)
      }),
    )
  })

  test('is of a line above every release', () => {
    fc.assert(
      fc.property(history, kinds, fc.boolean(), (tags, kind, major) => {
        const next = parseTag(nextTag(tags, { kind, major }).tag)
        if (next === null) throw new Error('no tag of the product')
        const released = tags.map(parseTag).filter((tag) => tag?.kind === 'release')
        for (const tag of released)
          if (tag !== null) expect(compareLines(next, tag)).toBeGreaterThan(0)
      }),
    )
  })

  test('of a release takes over the line of the alphas, and alphas go on behind it', () => {
    fc.assert(
      fc.property(history, (tags) => {
        const alpha = nextTag(tags, { kind: 'alpha' }).tag
        const release = nextTag([...tags, alpha], { kind: 'release' }).tag
        expect(alpha.startsWith(`${release.replace(/\.0$/, '')}-alpha.`)).toBe(true)
        const after = nextTag([...tags, alpha, release], { kind: 'alpha' }).tag
        expect(after).toMatch(/-alpha\.0$/)
      }),
    )
  })

  test('of a fix is one patch above the last of its line', () => {
    fc.assert(
      fc.property(history, productTag, (tags, of) => {
        const line = { major: of.major, minor: of.minor }
        const released = [...tags, `v${line.major}.${line.minor}.0`]
        const first = nextTag(released, { kind: 'fix', line })
        const second = nextTag([...released, first.tag], { kind: 'fix', line })
        expect(released).not.toContain(first.tag)
        expect(second.previous).toBe(first.tag)
        expect(patchOf(second.tag)).toBe(patchOf(first.tag) + 1)
      }),
    )
  })
})

function patchOf(text: string): number {
  const tag = parseTag(text)
  return tag?.kind === 'release' ? tag.patch : -1
}
