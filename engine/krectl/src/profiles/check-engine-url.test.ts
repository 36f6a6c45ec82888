import { describe, expect, test } from '@jest/globals'
import { checkEngineUrl } from './check-engine-url.ts'

describe('the address of an engine', () => {
  test.each([
    ['https://kre.example', 'https://kre.example'],
    ['https://kre.example:8443/', 'https://kre.example:8443'],
    ['http://localhost:4000', 'http://localhost:4000'],
    ['http://kre.localhost', 'http://kre.localhost'],
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4000'],
    ['http://127.9.9.9', 'http://127.9.9.9'],
    ['http://[::1]:4000', 'http://[::1]:4000'],
    // Other spellings of loopback, which URLs are normalised to.
    ['http://0x7f.1', 'http://127.0.0.1'],
  ])('%s is taken', (text, origin) => {
    expect(checkEngineUrl(text, { insecureHttp: false })).toBe(origin)
  })

  test.each([
    ['http://kre.example', 'use https'],
    ['http://10.0.0.1:4000', 'use https'],
    ['http://localhost.example', 'use https'],
    ['http://127.0.0.1.example', 'use https'],
    ['http://[::ffff:10.0.0.1]', 'use https'],
    ['ftp://kre.example', 'https://HOST'],
    ['kre.example', 'https://HOST'],
    ['', 'https://HOST'],
    ['https://kre.example/api', 'leave out what stands behind it'],
    ['https://kre.example/?x=1', 'leave out what stands behind it'],
    ['https://ada:hunter2@kre.example', 'no user and no password'],
  ])('%s is refused, and no password repeated', (text, reason) => {
    expect(() => checkEngineUrl(text, { insecureHttp: false })).toThrow(reason)
    expect(() => checkEngineUrl(text, { insecureHttp: false })).not.toThrow('hunter2')
  })

  test('is http on another computer where that was asked for', () => {
    expect(checkEngineUrl('http://10.0.0.1:4000', { insecureHttp: true })).toBe(
      'http://10.0.0.1:4000',
    )
  })
})
