import { describe, expect, test } from '@jest/globals'
import { isAllowedHost } from './allowed-host.ts'

const PUBLIC = 'https://kre.example.com/engine'

describe('a Host header', () => {
  test.each([
    ['kre.example.com', '10.0.0.5'],
    ['KRE.example.com:443', '10.0.0.5'],
    ['localhost:4000', '10.0.0.5'],
    ['10.0.0.5', '10.0.0.5'],
    ['10.0.0.5:4000', '::ffff:10.0.0.5'],
    ['[fd00::5]:4000', 'fd00::5'],
  ])('%s is ours on a connection to %s', (host, localAddress) => {
    expect(isAllowedHost(host, PUBLIC, localAddress)).toBe(true)
  })

  test.each([
    ['10.0.0.6', '10.0.0.5'],
    ['evil.example.com', '10.0.0.5'],
    ['10.0.0.5.nip.io', '10.0.0.5'],
    ['kre-engine.kre.svc', '10.0.0.5'],
    ['10.0.0.5', undefined],
    [undefined, '10.0.0.5'],
    ['', '10.0.0.5'],
  ])('%j is not ours on a connection to %s', (host, localAddress) => {
    expect(isAllowedHost(host, PUBLIC, localAddress)).toBe(false)
  })
})
