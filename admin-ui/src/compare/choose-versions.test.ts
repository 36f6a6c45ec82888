import { describe, expect, test } from '@jest/globals'
import { chooseVersions, inOrder } from './choose-versions.ts'

const versions = ['v3', 'v2', 'v1'].map((name, index) => ({
  name,
  creationDate: `2026-01-0${3 - index}T00:00:00.000Z`,
}))

describe('chooseVersions', () => {
  test.each([
    ['both are named', { from: 'v1', to: 'v2' }, 'v3', { from: 'v1', to: 'v2' }],
    ['one is named', { from: null, to: 'v3' }, 'v1', { from: 'v1', to: 'v3' }],
    ['the published one is named', { from: null, to: 'v1' }, 'v1', { from: 'v3', to: 'v1' }],
    ['the first one is named', { from: 'v3', to: null }, 'v1', { from: 'v3', to: 'v2' }],
    ['none is named', { from: null, to: null }, 'v1', { from: 'v1', to: 'v3' }],
    ['none is named or published', { from: null, to: null }, null, { from: 'v2', to: 'v3' }],
  ])('when %s', (_, named, published, expected) => {
    expect(chooseVersions(named, versions, published)).toEqual(expected)
  })

  test('with one version or none there is nothing to compare', () => {
    const named = { from: null, to: null }
    expect(chooseVersions(named, versions.slice(0, 1), null)).toEqual({ from: null, to: 'v3' })
    expect(chooseVersions(named, [], null)).toEqual({ from: null, to: null })
  })
})

test('inOrder puts the older version first', () => {
  const [newest, , oldest] = versions
  if (newest === undefined || oldest === undefined) throw new Error('there are three')
  expect(inOrder(newest, oldest)).toEqual({ from: 'v1', to: 'v3' })
  expect(inOrder(oldest, newest)).toEqual({ from: 'v1', to: 'v3' })
})
