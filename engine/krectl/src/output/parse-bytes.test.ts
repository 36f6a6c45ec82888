import { describe, expect, test } from '@jest/globals'
import { parseBytes } from './parse-bytes.ts'

describe('a size', () => {
  test.each([
    ['0', 0],
    ['1024', 1_024],
    ['1 KiB', 1_024],
    ['1.5MiB', 1_572_864],
    ['2GiB', 2_147_483_648],
    ['1TiB', 1_099_511_627_776],
  ])('%s is read', (text, bytes) => {
    expect(parseBytes('--bytes', text)).toBe(bytes)
  })

  test.each(['', '-1', '1MB', '1mib', 'MiB', '1e9', '999999999999TiB', 'x'])(
    '%j is refused',
    (text) => {
      expect(() => parseBytes('--bytes', text)).toThrow('--bytes')
    },
  )
})
