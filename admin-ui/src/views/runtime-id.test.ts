import { describe, expect, test } from '@jest/globals'
import { idFromName } from './runtime-id.ts'

describe('idFromName', () => {
  test.each([
    ['Credit Scoring', 'credit-scoring'],
    ['  2nd try!  ', 'nd-try'],
    ['Größe & Gewicht', 'gro-e-gewicht'],
    ['a name that is much too long', 'a-name-that-is'],
    ['漢字', ''],
  ])('makes of %j %j', (name, id) => {
    expect(idFromName(name)).toBe(id)
  })
})
