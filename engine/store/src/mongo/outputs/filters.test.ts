import { describe, expect, test } from '@jest/globals'
import { parseDocumentQuery } from '../../outputs/document-query.ts'
import { documentMatches } from '../../outputs/document-matches.ts'
import { documentFilter } from './find-documents.ts'
import { logFilter } from './search-logs.ts'

const NEWEST = { runtimeId: 'demo', limit: 9, order: 'newest-first' } as const

describe('filters of MongoDB', () => {
  test('hold what callers ask for behind operators of ours, scalar by scalar', () => {
    const query = { a: '$where', 'b.c': 1, list: [1], nothing: null, _id: 'mine' }
    expect(documentFilter('results', parseDocumentQuery(query))).toEqual({
      '_kre.kind': { $eq: 'document' },
      '_kre.collection': { $eq: 'results' },
      $or: [
        { '_kre.isOpaque': { $eq: true } },
        {
          $and: [{ a: { $eq: '$where' } }, { 'b.c': { $eq: 1 } }, { '_kre._id': { $eq: 'mine' } }],
        },
      ],
    })
  })

  test('leave to the engine what servers see differently', () => {
    expect(documentFilter('results', parseDocumentQuery({ a: { b: 1 }, c: null }))).toEqual({
      '_kre.kind': { $eq: 'document' },
      '_kre.collection': { $eq: 'results' },
    })
  })

  test('search for a text and never for a pattern', () => {
    const search = '.*(a|b)$\0 [x]\\'
    const { $and = [] } = logFilter({ ...NEWEST, search })
    const { $regex } = ($and[0] as { message: { $regex: string } }).message
    expect($regex).toMatch(/^(?:\\x\{[0-9a-f]+\}|[a-z])+$/)
    // PCRE's numbers of characters, as JavaScript writes them.
    const pattern = new RegExp(`^${$regex.replaceAll('\\x{', '\\u{')}$`, 'u')
    expect(pattern.test(search)).toBe(true)
  })

  test('refuse a text that is longer than a pattern may be', () => {
    expect(() => logFilter({ ...NEWEST, search: 'x'.repeat(4_097) })).toThrow(/at most 4096/)
    expect(logFilter({ ...NEWEST, search: 'x'.repeat(4_096) })).toHaveProperty('$and')
  })

  test('turn an operator in the place of a text into a text', () => {
    const hostile = { ...NEWEST, versions: [{ $gt: '' }] as unknown as string[] }
    expect(logFilter(hostile)).toEqual({ $and: [{ versionName: { $in: ['[object Object]'] } }] })
  })
})

describe('documentMatches', () => {
  const document = { n: 1, list: [{ n: 1 }, [2], null, 'x'], place: { city: 'Rome' }, empty: {} }
  const cases: [Record<string, unknown>, boolean][] = [
    [{ n: 1 }, true],
    [{ n: '1' }, false],
    [{ n: true }, false],
    [{ list: 'x' }, true],
    [{ list: [2] }, true],
    [{ list: { n: 1 } }, true],
    [{ list: null }, true],
    [{ 'list.n': 1 }, false],
    [{ 'list.0': 'x' }, false],
    [{ 'place.city': 'Rome' }, true],
    [{ place: 'Rome' }, false],
    [{ missing: null }, true],
    [{ 'place.zip': null }, true],
    [{ n: null }, false],
    [{ toString: null }, true],
    [{ empty: {} }, true],
  ]
  test.each(cases)('%j: %s', (query, expected) => {
    expect(documentMatches(document, parseDocumentQuery(query))).toBe(expected)
  })
})
