import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import { openHealthDoor } from './health-door.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('nothing listens where nobody asks', async () => {
  expect(await openHealthDoor({})).toBeNull()
  expect(await openHealthDoor({ KRE_HEALTH_PORT: '' })).toBeNull()
})

test('a process is alive at once, and ready when it says so', async () => {
  const port = await freePort()
  const door = await openHealthDoor({ KRE_HEALTH_PORT: String(port) })
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status
  try {
    expect([await ask('/healthz'), await ask('/readyz'), await ask('/other')]).toEqual([
      200, 503, 404,
    ])
    door?.setReady(true)
    expect(await ask('/readyz')).toBe(200)
    door?.setReady(false)
    expect([await ask('/healthz'), await ask('/readyz')]).toEqual([200, 503])
  } finally {
    door?.close()
  }
})

test.each(['x', '-1', '65536', '80.5'])('%j is no port, and said to be none', async (value) => {
  await expect(openHealthDoor({ KRE_HEALTH_PORT: value })).rejects.toThrow(/is no port/)
})

test('a port that is taken is said with its reason', async () => {
  const other = createServer().listen(0)
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  await expect(openHealthDoor({ KRE_HEALTH_PORT: String(port) })).rejects.toThrow(/EADDRINUSE/)
  other.close()
})
