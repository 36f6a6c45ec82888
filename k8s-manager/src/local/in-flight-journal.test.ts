import { expect, test } from '@jest/globals'
import { parseInFlight, readInFlight } from './in-flight-journal.ts'

test('parseInFlight reads the slots that are taken, each id once', () => {
  expect(parseInFlight('a-1\n     \n\0\0\0\nb-2\na-1\n')).toEqual(['a-1', 'b-2'])
})

test('parseInFlight believes no garbage', () => {
  expect(parseInFlight(`${'x'.repeat(200)}\n\u0007bell\nfine`)).toEqual(['fine'])
  expect(parseInFlight('')).toEqual([])
})

test('readInFlight takes a missing journal for an empty one', () => {
  expect(readInFlight('/nowhere')).toEqual([])
})
