import { expect, test } from '@jest/globals'
import { sampleVersion } from '../testing/sample-records.ts'
import { createFactsCache } from './facts-cache.ts'

const json = JSON.stringify(sampleVersion().facts)

test('reads the facts of a version once', () => {
  const cache = createFactsCache()
  let reads = 0
  const read = (): string => {
    reads += 1
    return json
  }
  expect(cache.find('v1')).toBeNull()
  expect(cache.get('v1', read)).toEqual(sampleVersion().facts)
  expect(cache.get('v1', read)).toBe(cache.find('v1'))
  expect(reads).toBe(1)
})

test('forgets those that nobody has asked for the longest when there are too many', () => {
  const cache = createFactsCache(json.length * 2)
  for (const id of ['a', 'b']) cache.get(id, () => json)
  cache.find('a')
  cache.get('c', () => json)
  expect(['a', 'b', 'c'].map((id) => cache.find(id) !== null)).toEqual([true, false, true])
})
