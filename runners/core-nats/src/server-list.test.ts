import { expect, test } from '@jest/globals'
import { createServerList, parseAddress } from './server-list.ts'

test.each([
  ['127.0.0.1:4000', '127.0.0.1', 4000],
  ['nats.example', 'nats.example', 4222],
  ['nats://nats.example:80', 'nats.example', 80],
  ['tls://nats.example:4443/', 'nats.example', 4443],
  [' [::1]:4222 ', '::1', 4222],
  ['[fe80::1]', 'fe80::1', 4222],
])('reads the address %s', (text, host, port) => {
  expect(parseAddress(text)).toEqual({ host, port })
})

test.each(['', ':4222', 'a:b', 'a:0', 'a:65536', 'a:1:2', 'user:secret@a:4222', 'a b'])(
  'refuses the address %p',
  (text) => {
    expect(() => parseAddress(text)).toThrow('write host:port')
  },
)

test('goes round, at once the first time and after a pause when it comes back', () => {
  const servers = createServerList(['a:1', 'b:2'])
  const seen = new Set<string>()
  for (let turn = 0; turn < 2; turn++) {
    const { server, waitMs } = servers.next()
    expect(waitMs).toBe(0)
    server.triedAt = performance.now()
    seen.add(server.host)
  }
  expect([...seen].toSorted()).toEqual(['a', 'b'])
  const { waitMs } = servers.next()
  expect(waitMs).toBeGreaterThan(0)
  expect(waitMs).toBeLessThanOrEqual(200)
  expect(() => createServerList([])).toThrow('at least one')
})
