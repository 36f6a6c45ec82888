import { describe, expect, test } from '@jest/globals'
import type { Release } from '@kre/contracts'
import { publishedBefore } from './previous-version.ts'

const at = (second: number) => new Date(second * 1000)

/** Releases that published these versions, one a second, told newest first. */
function history(...published: (string | null)[]): Release[] {
  return published
    .map((name, index): Release => ({
      runtimeId: 'demo',
      generation: index + 1,
      running: [],
      published: name,
      cause: { operation: 'publish', version: name, by: 'a@kre.io', comment: '', at: at(index) },
    }))
    .toReversed()
}

const versions = (...names: string[]) => names.map((name) => ({ name, createdAt: at(0) }))

describe('publishedBefore', () => {
  test.each([
    ['nothing, when nothing was published', [], null],
    ['nothing, when one version ever was', [null, 'v1', 'v1'], null],
    ['what the present one replaced', ['v1', 'v2'], 'v1'],
    ['the same after changes that published nothing else', ['v1', 'v2', 'v2', 'v2'], 'v1'],
    ['what was taken off, when nothing is published now', ['v1', 'v2', null], 'v2'],
    ['what was rolled back from, so that it can be taken back', ['v1', 'v2', 'v1'], 'v2'],
    ['one that was published before nothing was', ['v1', null, 'v2'], 'v1'],
  ])('is %s', (_, published, expected) => {
    expect(publishedBefore(history(...published), versions('v1', 'v2'))).toBe(expected)
  })

  test('is one that is still there', () => {
    expect(publishedBefore(history('v1', 'v2', 'v3'), versions('v1', 'v3'))).toBe('v1')
  })

  test('is not another version that got the name of a deleted one', () => {
    const renewed = { name: 'v2', createdAt: at(9) }
    const there = [...versions('v1', 'v3'), renewed]
    expect(publishedBefore(history('v1', 'v2', 'v3'), there)).toBe('v1')
  })
})
