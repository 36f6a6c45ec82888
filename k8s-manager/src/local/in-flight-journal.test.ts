import { expect, test } from '@jest/globals'
import { readInFlight } from './in-flight-journal.ts'

test('readInFlight takes a missing journal for an empty one', () => {
  expect(readInFlight('/nowhere')).toEqual([])
})
