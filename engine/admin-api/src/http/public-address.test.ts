import { describe, expect, test } from '@jest/globals'
import { publicAddress } from './public-address.ts'

describe('publicAddress', () => {
  test.each([
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4000/signin/x'],
    ['https://kre.example.com/', 'https://kre.example.com/signin/x'],
    ['https://example.com/kre', 'https://example.com/kre/signin/x'],
    ['https://example.com/kre/?a=b#c', 'https://example.com/kre/signin/x'],
  ])('below %s', (publicUrl, expected) => {
    expect(publicAddress(publicUrl, '/signin/x').href).toBe(expected)
  })
})
