import { describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPorts } from './ports.ts'

const HOST = '127.0.0.1'
const shop = { id: 'shop.entrypoint', version: null }
const cafe = { id: 'cafe.entrypoint', version: null }
const v1 = { id: 'shop.v1.entrypoint', version: 'v1' }

describe('openPorts', () => {
  test('keeps a port for ever, over restarts', async () => {
    await using place = await makePlace()
    const port = await openPorts(place.file, HOST, 0).take(v1, false)
    const again = openPorts(place.file, HOST, 0)
    expect(again.of(v1.id)).toBe(port)
    expect(await again.take(v1, false)).toBe(port)
    again.forget(v1.id)
    expect(openPorts(place.file, HOST, 0).of(v1.id)).toBeNull()
  })

  test('gives published entrypoints the base and the next free ones', async () => {
    await using place = await makePlace()
    await using taken = await listen()
    const ports = openPorts(place.file, HOST, taken.port)
    const [first, second] = await Promise.all([ports.take(shop, false), ports.take(cafe, false)])
    expect(first).toBeGreaterThan(taken.port)
    expect(second).toBeGreaterThan(first)
  })

  test('refuses a published port that somebody else took, naming it', async () => {
    await using place = await makePlace()
    await using taken = await listen()
    await writeFile(place.file, JSON.stringify({ [shop.id]: taken.port, [v1.id]: taken.port }))
    const ports = openPorts(place.file, HOST, 9000)
    await expect(ports.take(shop, false)).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining(`port ${taken.port} on 127.0.0.1 belongs to this runtime`),
    })
    expect(await ports.take(shop, true)).toBe(taken.port)
    expect(await ports.take(v1, false)).not.toBe(taken.port)
  })

  test('remembers over restarts who is on the way out, until it is gone or wanted again', async () => {
    await using place = await makePlace()
    const ports = openPorts(place.file, HOST, 0)
    const port = await ports.take(v1, false)
    ports.leave(v1.id)
    ports.leave('shop.v2.entrypoint')
    const next = openPorts(place.file, HOST, 0)
    expect(next.leaving()).toEqual([v1.id])
    expect(next.of(v1.id)).toBe(port)
    next.keep(v1.id)
    expect(openPorts(place.file, HOST, 0).leaving()).toEqual([])
    next.leave(v1.id)
    next.forget(v1.id)
    expect(JSON.parse(await readFile(place.file, 'utf8'))).toEqual({})
  })

  test('says what to do about a damaged file', async () => {
    await using place = await makePlace()
    await writeFile(place.file, '{"a":')
    expect(() => openPorts(place.file, HOST, 0)).toThrow(/ports.json can't be read: mend it/)
  })
})

async function makePlace() {
  const dir = await mkdtemp(join(tmpdir(), 'kre-ports-'))
  return {
    file: join(dir, 'ports.json'),
    [Symbol.asyncDispose]: async () => rm(dir, { recursive: true }),
  }
}

async function listen() {
  const server = createServer().listen({ host: HOST, port: 0 })
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}
