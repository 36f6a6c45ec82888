import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { RESOURCE_NAME } from '../names.ts'
import { slug } from './slug.ts'

describe('slug', () => {
  test.each([
    ['Execute DL Model', 'execute-dl-model'],
    ['  A__b--C  ', 'a-b-c'],
    ['v1.2', 'v1-2'],
    ['already-a-slug', 'already-a-slug'],
    ['---', ''],
    ['Größe', 'gr-e'],
  ])('of %j is %j', (name, id) => {
    expect(slug(name)).toBe(id)
  })

  test('is empty or a resource name, and stays what it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const id = slug(name)
        expect(id === '' || RESOURCE_NAME.test(id)).toBe(true)
        expect(slug(id)).toBe(id)
      }),
    )
  })
})
