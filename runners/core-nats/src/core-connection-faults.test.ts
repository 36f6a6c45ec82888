import { describe, expect, test } from '@jest/globals'
import { MiB } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats } from '@kre/service-kit/testing'
import { type CoreOptions, openCoreConnection } from './core-connection.ts'
import {
  answerPings,
  type FakeClient,
  infoLine,
  startFakeServer,
  welcome,
} from './testing/fake-server.ts'

function open(servers: readonly string[], options: CoreOptions = {}) {
  const connection = openCoreConnection(
    { servers: [...servers], user: '', password: '' },
    'test',
    options,
  )
  const told: string[] = []
  const reasons: string[] = []
  connection.listen({
    onUp: () => told.push('up'),
    onDown(reason) {
      told.push('down')
      reasons.push(reason.message)
    },
    onLost: () => told.push('lost'),
    onError: (error) => reasons.push(error.message),
  })
  return { ...connection, told, reasons, [Symbol.dispose]: () => connection.close() }
}
const bytes = (text: string) => Buffer.from(text)

describe('a peer that is no NATS server, or a bad one', () => {
  test('and says nothing is left after the time for connecting', async () => {
    await using silent = await startFakeServer(() => undefined)
    using core = open(silent.access.servers, { connectTimeoutMs: 30 })
    await waitUntil('three tries', () => silent.clients.length >= 3)
    await expect(core.whenUp(50)).rejects.toThrow('did not welcome this client within 30 ms')
    expect(core.told).toEqual([])
  })

  test('and greets but never answers is left, too', async () => {
    await using server = await startFakeServer((client) => client.send(infoLine()))
    using core = open(server.access.servers, { connectTimeoutMs: 30 })
    await waitUntil('three tries', () => server.clients.length >= 3)
    expect(core.told).toEqual([])
  })

  test.each([
    ['speaks HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['sends noise', Buffer.from(Array.from({ length: 1_000 }, (_, index) => (index * 7) % 256))],
    ['sends an INFO that is no JSON', 'INFO {"max_payload\r\n'],
    ['sends an INFO that is no object', 'INFO 7\r\n'],
    ['closes at once', null],
  ])('and %s is tried again, and harms nobody', async (_, hello) => {
    await using server = await startFakeServer((client, index) => {
      if (index >= 2) welcome(client)
      else if (hello === null) client.socket.destroy()
      else client.send(hello)
    })
    using core = open(server.access.servers)
    await core.whenUp(5_000)
    expect(server.clients).toHaveLength(3)
    expect(core.told).toEqual(['up'])
  })

  test('and goes mad in the middle is left, after what was good', async () => {
    await using server = await startFakeServer()
    using core = open(server.access.servers)
    const seen: string[] = []
    core.subscribe('a', { onMessage: ({ data }) => seen.push(Buffer.from(data).toString()) })
    await core.whenUp(5_000)
    server.clients[0]?.send('MSG a 1 4\r\ngood\r\nMSG a 1 x\r\nMSG a 1 3\r\nbad\r\n')
    await waitUntil('again', () => core.told.length === 3)
    expect(core.told).toEqual(['up', 'down', 'up'])
    expect(core.reasons).toEqual([expect.stringContaining('is not NATS')])
    expect(seen).toEqual(['good'])
    expect(server.clients[1]?.sent).toContain('SUB a 1\r\n')
  })

  test('and complains before it hangs up is quoted', async () => {
    await using server = await startFakeServer((client) => {
      client.send(`${infoLine()}-ERR 'maximum connections exceeded'\r\n`)
      client.socket.end()
    })
    using core = open(server.access.servers)
    await expect(core.whenUp(300)).rejects.toThrow('maximum connections exceeded')
  })

  test('is passed over for the next one of the list', async () => {
    await using nats = await startNats()
    await using silent = await startFakeServer(() => undefined)
    using core = open(['127.0.0.1:1', ...silent.access.servers, ...nats.access.servers], {
      connectTimeoutMs: 30,
    })
    await core.whenUp(5_000)
    await core.flush()
  })
})

describe('a connection', () => {
  test('reads what comes byte by byte', async () => {
    await using server = await startFakeServer()
    using core = open(server.access.servers)
    const seen: unknown[] = []
    core.subscribe('a.*', {
      onMessage: ({ subject, reply, data, status }) =>
        seen.push([subject, reply, Buffer.from(data).toString(), status]),
    })
    await core.whenUp(5_000)
    const [client] = server.clients
    client?.socket.setNoDelay(true)
    const stream =
      'PING\r\nMSG a.b 1 r.1 5\r\nhello\r\nHMSG a.c 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\nPING\r\n'
    for (const sign of stream) {
      client?.send(sign)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await waitUntil('both', () => seen.length === 2)
    expect(seen).toEqual([
      ['a.b', 'r.1', 'hello', 0],
      ['a.c', '', '', 503],
    ])
    await waitUntil('answered', () => client?.sent.split('PONG\r\n').length === 3)
  })

  test('tells the server what it can do, and who it is', async () => {
    await using server = await startFakeServer()
    const access = { ...server.access, user: 'me', password: 'se"cret' }
    const core = openCoreConnection(access, 'node wf/a')
    await core.whenUp(5_000)
    const [line = ''] = server.clients[0]?.sent.split('\r\n') ?? []
    expect(JSON.parse(line.replace('CONNECT ', ''))).toEqual({
      protocol: 1,
      lang: expect.any(String),
      version: expect.any(String),
      name: 'node wf/a',
      verbose: false,
      pedantic: false,
      headers: true,
      no_responders: true,
      user: 'me',
      pass: 'se"cret',
    })
    core.close()
  })

  test('refuses headers where the server knows none', async () => {
    await using server = await startFakeServer((client) => welcome(client, { headers: false }))
    using core = open(server.access.servers)
    await core.whenUp(5_000)
    expect(() => core.publish('a', bytes('x'), '', bytes('NATS/1.0\r\n\r\n'))).toThrow(
      expect.objectContaining({ code: 'unimplemented' }),
    )
    expect(server.clients[0]?.sent).toContain('"headers":false,"no_responders":false')
  })

  test('follows the limits of its server', async () => {
    await using server = await startFakeServer()
    using core = open(server.access.servers)
    expect(core.maxPayload()).toBe(0)
    await core.whenUp(5_000)
    expect(core.maxPayload()).toBe(MiB)
    server.clients[0]?.send(infoLine({ max_payload: 10 }))
    await waitUntil('told', () => core.maxPayload() === 10)
    expect(() => core.publish('a', Buffer.alloc(11))).toThrow('at most 10')
  })

  test('leaves a server that is about to stop, when there is another', async () => {
    const behave = (client: FakeClient) => welcome(client)
    await using one = await startFakeServer(behave)
    await using two = await startFakeServer(behave)
    using core = open([...one.access.servers, ...two.access.servers])
    await core.whenUp(5_000)
    const [first, second] = one.clients.length === 1 ? [one, two] : [two, one]
    first.clients[0]?.send(infoLine({ ldm: true }))
    await waitUntil('elsewhere', () => core.told.length === 3)
    expect(second.clients).toHaveLength(1)
  })

  test('stays where it is when all servers are about to stop', async () => {
    const behave = (client: FakeClient) => welcome(client, { ldm: true })
    await using one = await startFakeServer(behave)
    await using two = await startFakeServer(behave)
    using core = open([...one.access.servers, ...two.access.servers])
    await core.whenUp(5_000)
    await core.flush()
    expect(core.told).toEqual(['up'])
  })

  test('stays with its only server until that has stopped', async () => {
    await using server = await startFakeServer()
    using core = open(server.access.servers)
    await core.whenUp(5_000)
    server.clients[0]?.send(infoLine({ ldm: true }))
    await core.flush()
    expect(core.told).toEqual(['up'])
  })

  test('whose peer gives no sign of life is given up', async () => {
    await using server = await startFakeServer((client, index) => {
      client.send(infoLine())
      if (index > 0) answerPings(client)
      else client.socket.once('data', () => client.send('PONG\r\n'))
    })
    using core = open(server.access.servers, { pingIntervalMs: 20 })
    await waitUntil('again', () => core.told.length === 3)
    expect(core.reasons[0]).toContain('no sign of life for 40 ms')
    // The second one answers, and stays.
    const pings = () => server.clients[1]?.sent.split('PING\r\n').length ?? 0
    await waitUntil('asked often', () => pings() > 6)
    expect(core.told).toEqual(['up', 'down', 'up'])
  })

  test('holds at most 64 MiB for a peer that does not read, and gives them back when it is gone', async () => {
    await using server = await startFakeServer((client, index) => {
      client.send(infoLine())
      if (index > 0) answerPings(client)
      else
        client.socket.once('data', () => {
          client.send('PONG\r\n')
          client.socket.pause()
        })
    })
    using core = open(server.access.servers)
    await core.whenUp(5_000)
    const data = Buffer.alloc(MiB)
    let sent = 0
    // The kernel takes some as well, and it takes it later.
    const fill = async () => {
      for (; sent < 1_000; sent++) {
        core.publish('a', data)
        if (sent % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await expect(fill()).rejects.toMatchObject({
      code: 'resource-exhausted',
      details: { waitingBytesMax: 64 * MiB },
    })
    expect(sent).toBeGreaterThanOrEqual(63)
    expect(sent).toBeLessThan(200)
    expect(core.isUp()).toBe(true)
    server.clients[0]?.socket.destroy()
    await waitUntil('again', () => core.told.length === 3)
    core.publish('a', data)
    await core.flush()
  })

  test('survives listeners that throw', async () => {
    await using server = await startFakeServer()
    using core = open(server.access.servers)
    const fail = () => {
      throw new Error('a bad listener')
    }
    core.listen({ onUp: fail, onDown: fail })
    await core.whenUp(5_000)
    server.clients[0]?.socket.destroy()
    await waitUntil('again', () => core.told.length === 3)
    expect(core.reasons.filter((reason) => reason === 'a bad listener')).toHaveLength(3)
  })

  test('can be closed by its receiver, in the middle of a read', async () => {
    await using server = await startFakeServer()
    using core = open(server.access.servers)
    let seen = 0
    core.subscribe('a', {
      onMessage() {
        seen++
        core.close()
      },
    })
    await core.whenUp(5_000)
    server.clients[0]?.send('MSG a 1 1\r\nx\r\nMSG a 1 1\r\nx\r\n')
    await waitUntil('closed', () => server.clients[0]?.socket.destroyed === true)
    expect(seen).toBe(1)
    expect(core.told).toEqual(['up'])
  })
})
