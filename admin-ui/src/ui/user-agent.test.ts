import { expect, test } from '@jest/globals'
import { shortUserAgent } from './user-agent.ts'

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)'

test.each([
  [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/156.0.0.0 Safari/537.36`, 'Chrome 156, Linux'],
  [
    `Mozilla/5.0 (Windows NT 10.0) ${WEBKIT} Chrome/156.0.0.0 Safari/537.36 Edg/156.0`,
    'Edge 156, Windows',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1.15 Version/20.1 Safari/605.1',
    'Safari 20, macOS',
  ],
  ['Mozilla/5.0 (Android 17; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0', 'Firefox 150, Android'],
  ['curl/8.14.1', 'curl/8.14.1'],
  ['<b>Chrome</b>', '<b>Chrome</b>'],
  ['', ''],
])('a login of %s is shown as %s', (userAgent, shown) => {
  expect(shortUserAgent(userAgent)).toBe(shown)
})
