import { describe, expect, test } from '@jest/globals'
import { grantTwin, levelOn, withGrant, type Grant } from './grants.ts'

const grants: readonly Grant[] = [
  { runtimeId: 'shop', accessLevel: 'VIEWER' },
  { runtimeId: 'lab', accessLevel: 'MANAGER' },
]

describe('withGrant', () => {
  test.each([
    ['shop', 'MANAGER', ['shop MANAGER', 'lab MANAGER']],
    ['shop', null, ['lab MANAGER']],
    ['new', 'VIEWER', ['shop VIEWER', 'lab MANAGER', 'new VIEWER']],
    ['new', null, ['shop VIEWER', 'lab MANAGER']],
  ] as const)('on %s to %s', (runtimeId, level, expected) => {
    const changed = withGrant(grants, runtimeId, level)
    expect(changed.map((grant) => `${grant.runtimeId} ${grant.accessLevel}`)).toEqual(expected)
  })

  test('is told apart from a level on another runtime', () => {
    expect([levelOn(grants, 'lab'), levelOn(grants, 'labo')]).toEqual(['MANAGER', null])
  })
})

describe('grantTwin', () => {
  test('names every grant, since what is not named is taken away', () => {
    expect(grantTwin('ada@kre.io', grants, " it's time ")).toBe(
      String.raw`krectl user grant ada@kre.io shop=viewer lab=manager --comment 'it'\''s time'`,
    )
    expect(grantTwin('ada@kre.io', [], '')).toBe('krectl user grant ada@kre.io')
  })
})
