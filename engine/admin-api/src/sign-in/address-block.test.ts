import { expect, test } from '@jest/globals'
import { addressBlock } from './address-block.ts'

test.each([
  ['10.0.0.1', '10.0.0.1', true],
  ['10.0.0.1', '10.0.0.2', false],
  ['::ffff:10.0.0.1', '10.0.0.1', true],
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ['::1', '::2', true],
  ['', '', true],
])('%s and %s are one caller: %s', (one, other, same) => {
  expect(addressBlock(one) === addressBlock(other)).toBe(same)
})
