import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { listenPort } from './listen-port.ts'

let dir: string
let memory: string
const servers: Server[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'listen-'))
  memory = join(dir, 'port')
})
afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  await rm(dir, { recursive: true })
})

async function listen(port: number): Promise<{ address: string; port: number }> {
  const server = createServer()
  servers.push(server)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address() as { port: number }
  return { address: `http://127.0.0.1:${bound.port}`, port: bound.port }
}

async function ask(preferred: number): Promise<{ port: number; said: string[] }> {
  const said: string[] = []
  const { port } = await listenPort('the API', preferred, memory, listen, (text) => said.push(text))
  return { port, said }
}

async function freePort(): Promise<number> {
  const { port } = await listen(0)
  const server = servers.pop()
  server?.close()
  await once(server ?? createServer(), 'close')
  return port
}

describe('listenPort', () => {
  test('takes the preferred port and says nothing', async () => {
    const preferred = await freePort()
    expect(await ask(preferred)).toEqual({ port: preferred, said: [] })
  })

  test('takes a free one when the preferred is taken, says so, and takes the same the next time', async () => {
    const { port: taken } = await listen(0)
    const first = await ask(taken)
    expect(first.said).toEqual([
      `port ${taken} is taken or not allowed: the API takes port ${first.port}`,
    ])
    const server = servers.pop()
    server?.close()
    await once(server ?? createServer(), 'close')
    expect((await ask(taken)).port).toBe(first.port)
  })

  test('takes the one of the last time where any will do', async () => {
    const last = await freePort()
    await writeFile(memory, String(last))
    expect(await ask(0)).toEqual({ port: last, said: [] })
  })

  test.each(['', 'garbage', '-1', '70000', '1.5'])('forgets a memory of "%s"', async (text) => {
    await writeFile(memory, text)
    const { port } = await ask(0)
    expect(await readFile(memory, 'utf8')).toBe(String(port))
  })

  test('passes on what is not about the port', async () => {
    const broken = () => Promise.reject(new Error('no network'))
    await expect(listenPort('the API', 4000, memory, broken, () => undefined)).rejects.toThrow(
      'no network',
    )
  })
})
