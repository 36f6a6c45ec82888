import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { editDistance, nearestName } from './nearest-name.ts'

describe('nearestName', () => {
  test.each<[string, string[], string | null]>([
    ['prepar', ['score', 'prepare'], 'prepare'],
    ['PREPARE', ['prepare'], 'prepare'],
    ['pr', ['prepare'], null],
    ['scores', ['scored', 'score'], 'scored'],
    ['x', [], null],
  ])('of %s among %j', (name, candidates, expected) => {
    expect(nearestName(name, candidates)).toBe(expected)
  })
})

describe('editDistance', () => {
  test('is a metric', () => {
    const word = fc.stringMatching(/^[ab]{0,6}$/)
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(editDistance(a, a)).toBe(0)
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c))
        expect(Math.min(editDistance(a, b, 3), 3)).toBe(Math.min(editDistance(a, b), 3))
      }),
    )
  })
})
