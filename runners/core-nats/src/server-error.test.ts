import { expect, test } from '@jest/globals'
import { toServerError } from './server-error.ts'

test.each([
  ['Authorization Violation', 'unauthenticated'],
  ['User Authentication Expired', 'unauthenticated'],
  ['Account Authentication Expired', 'unauthenticated'],
  ['Authentication Timeout', 'unavailable'],
  ['Stale Connection', 'unavailable'],
  ['Unknown Protocol Operation', 'unavailable'],
])('%s means %s', (text, code) => {
  expect(toServerError(text)).toMatchObject({ code, message: expect.stringContaining(text) })
})

test('a violation of permissions names what was tried on which subject', () => {
  expect(toServerError('Permissions Violation for Publish to "a.b"')).toMatchObject({
    code: 'permission-denied',
    details: { operation: 'publish', subject: 'a.b' },
  })
  expect(
    toServerError('Permissions Violation for Subscription to "a.>" using queue "q"'),
  ).toMatchObject({
    code: 'permission-denied',
    details: { operation: 'subscription', subject: 'a.>' },
  })
})
