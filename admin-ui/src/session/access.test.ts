import { describe, expect, test } from '@jest/globals'
import { hasLevel } from './access.ts'

describe('hasLevel', () => {
  const grants = [{ runtimeId: 'shop', accessLevel: 'MANAGER' as const }]

  test.each([
    ['ADMIN', 'MANAGER', 'any', true],
    ['VIEWER', 'MANAGER', 'any', false],
    ['VIEWER', 'MANAGER', 'shop', true],
    [null, 'VIEWER', 'shop', true],
    [null, 'VIEWER', 'any', false],
    [null, 'VIEWER', null, false],
    ['MANAGER', 'MANAGER', null, true],
    ['MANAGER', 'ADMIN', null, false],
  ] as const)('a global %s asked for %s on %s: %s', (globalAccessLevel, lowest, on, expected) => {
    expect(hasLevel({ globalAccessLevel, grants }, lowest, on)).toBe(expected)
  })
})
