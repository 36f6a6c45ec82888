import { describe, expect, test } from '@jest/globals'
import { withoutMetadata } from './cidr.ts'

describe('an address that pods may talk to', () => {
  test.each([
    ['10.0.0.0/8', undefined],
    ['0.0.0.0/0', ['169.254.0.0/16']],
    ['168.0.0.0/6', ['169.254.0.0/16']],
    ['170.0.0.0/7', undefined],
    ['::/0', ['fe80::/10', 'fd00:ec2::254/128']],
    ['fd00::/8', ['fd00:ec2::254/128']],
    ['2001:db8::/32', undefined],
  ])('%s leaves out where machines get their credentials', (cidr, except) => {
    expect(withoutMetadata(cidr)).toEqual(except === undefined ? { cidr } : { cidr, except })
  })
  test.each(['169.254.169.254/32', '169.254.0.0/16', 'fe80::1/128', 'fd00:ec2::254/128'])(
    '%s is refused',
    (cidr) => {
      expect(() => withoutMetadata(cidr)).toThrow(/credentials of the machine/)
    },
  )
  test.each([
    '',
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0/8',
    'a/8',
    '::/129',
    '10.0.0.0/8/8',
    'fe80::1%1/64',
  ])('%j is no CIDR', (cidr) => {
    expect(() => withoutMetadata(cidr)).toThrow(/is no CIDR/)
  })
})
