import { describe, expect, test } from '@jest/globals'
import { fuzzyFilter, fuzzyScore } from './fuzzy-match.ts'

const NAMES = ['Credit Scoring', 'Runtimes', 'credit-v2: Logs', 'credit-v2: Graph', 'Sign out']
const found = (query: string) => fuzzyFilter(query, NAMES, (name) => name)

describe('fuzzyFilter', () => {
  test.each([
    ['', NAMES],
    ['  ', NAMES],
    ['runtimes', ['Runtimes']],
    ['c s', ['Credit Scoring', 'credit-v2: Logs']],
    ['v2 lo', ['credit-v2: Logs']],
    ['CV2G', ['credit-v2: Graph', 'credit-v2: Logs']],
    ['zzz', []],
  ])('%j', (query, expected) => {
    expect(found(query)).toEqual(expected)
  })

  test('takes letters of a pattern, an emoji and a name without words as they are', () => {
    expect(fuzzyScore('.*', 'abc')).toBeNull()
    expect(fuzzyScore('😀', 'a 😀 b')).not.toBeNull()
    expect(fuzzyScore('a', '')).toBeNull()
  })
})
