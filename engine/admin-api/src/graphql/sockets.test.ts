import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { createClient, type Client, type ExecutionResult } from 'graphql-ws'
import { WebSocket, type ClientOptions } from 'ws'
import { bearerOf, makeUser, signInAs } from '../testing/people.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi
const clients: Client[] = []
const sockets: WebSocket[] = []

beforeEach(async () => {
  api = await startTestApi()
  await api.createRuntime()
  await api.upload({ version: 'v1' })
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.dispose()
  for (const socket of sockets.splice(0)) socket.terminate()
  await api[Symbol.asyncDispose]()
})

const address = () => `${api.url.replace('http:', 'ws:')}/graphql`
const WATCH = 'subscription { watchVersion(runtimeId: "demo") { name status } }'

/** The client of the protocol's authors, with headers that a program may send. */
function connect(headers: Record<string, string> = api.asOwner): Client {
  class WithHeaders extends WebSocket {
    constructor(url: string, protocols: string) {
      super(url, protocols, { headers })
    }
  }
  const client = createClient({ url: address(), webSocketImpl: WithHeaders, retryAttempts: 0 })
  clients.push(client)
  return client
}

type Watched = {
  events: ExecutionResult[]
  /** Null until it is over. */
  end: unknown
  stop: () => void
}
function watch(client: Client, query = WATCH, variables: Record<string, unknown> = {}): Watched {
  const watched: Watched = { events: [], end: null, stop: () => undefined }
  watched.stop = client.subscribe(
    { query, variables },
    {
      next: (event) => void watched.events.push(event as ExecutionResult),
      error: (error) => void (watched.end = error),
      complete: () => void (watched.end = 'complete'),
    },
  )
  return watched
}

/** What the server makes of a handshake: a status, or 101. */
async function handshake(
  options: ClientOptions,
  protocol: string | string[] = 'graphql-transport-ws',
  path = '',
) {
  const socket = new WebSocket(`${address()}${path}`, protocol, options)
  sockets.push(socket)
  return new Promise<number>((resolve) => {
    socket.on('open', () => resolve(101))
    socket.on('unexpected-response', (_req, res) => resolve(res.statusCode ?? 0))
    socket.on('error', () => undefined)
  })
}

describe('a subscription over a WebSocket', () => {
  test('tells what the same one tells over HTTP', async () => {
    const watched = watch(connect())
    // There is no word for its begin: something is changed until it tells.
    let comment = 0
    await waitUntil('an event', async () => {
      comment += 1
      await api.operate(comment % 2 === 1 ? 'startVersion' : 'stopVersion', 'v1')
      return watched.events.length > 0
    })
    expect(watched.events[0]).toMatchObject({
      data: { watchVersion: { name: 'v1', status: expect.any(String) } },
    })
    watched.stop()
  })

  test('is refused with the errors of HTTP', async () => {
    const wrong = watch(connect(), 'subscription { nothing }')
    await waitUntil('the end', () => wrong.end !== null)
    expect(wrong.end).toMatchObject([
      { extensions: { code: 'GRAPHQL_VALIDATION_FAILED', requestId: expect.any(String) } },
    ])
    const deep = watch(connect(), `subscription { ${'a { '.repeat(20)} b ${'}'.repeat(20)} }`)
    await waitUntil('the end', () => deep.end !== null)
    expect(JSON.stringify(deep.end)).toContain('too many depth')
    const hidden = watch(connect(), WATCH.replace('demo', 'nope'))
    await waitUntil('the end', () => hidden.events.length > 0)
    expect(hidden.events[0]?.errors?.[0]).toMatchObject({ extensions: { code: 'NOT_FOUND' } })
  })

  test('does not repeat a variable that is no good', async () => {
    const query = 'subscription ($r: ID) { watchVersion(runtimeId: $r) { id } }'
    const wrong = watch(connect(), query, { r: { secret: 'canary' } })
    await waitUntil('the end', () => wrong.events.length > 0)
    expect(wrong.events[0]?.errors).toMatchObject([
      { message: expect.stringContaining('"$r"'), extensions: { requestId: expect.any(String) } },
    ])
    expect(JSON.stringify(wrong.events)).not.toContain('canary')
  })

  test('is nothing else: queries and mutations go over HTTP', async () => {
    for (const query of [
      '{ me { id } }',
      'mutation { deleteRuntime(input: {id: "demo", comment: "c"}) { id } }',
    ]) {
      const refused = watch(connect(), query)
      await waitUntil('the end', () => refused.end !== null)
      expect(JSON.stringify(refused.end)).toContain('subscriptions only')
    }
    expect(await api.store.runtimes.find('demo')).not.toBeNull()
  })

  test('ends with the login that opened it', async () => {
    await makeUser(api, 'eve@kre.io', { accessLevel: 'VIEWER' })
    const watched = watch(connect(await bearerOf(api, 'eve@kre.io')))
    await waitUntil('a listener', async () => {
      await api.operate('startVersion')
      await api.operate('stopVersion')
      return watched.events.length > 0
    })
    await api.graphql(
      'mutation ($input: UsersInput!) { revokeUserSessions(input: $input) { id } }',
      {
        input: { userIds: ['eve@kre.io'], comment: 'c' },
      },
    )
    await waitUntil('the end', () => watched.end !== null)
    expect(watched.end).toMatchObject({ code: 4403 })
  })

  test('counts with those over HTTP: 16 per caller', async () => {
    const client = connect()
    const all = Array.from({ length: 17 }, () => watch(client))
    await waitUntil('a refusal', () => all.some(({ events }) => events[0]?.errors !== undefined))
    const refused = all.filter(({ events }) => events[0]?.errors !== undefined)
    expect(refused).toHaveLength(1)
    expect(refused[0]?.events[0]?.errors?.[0]).toMatchObject({
      extensions: { code: 'RESOURCE_EXHAUSTED' },
    })
    // A place that is given back is free.
    for (const { stop } of all) stop()
    let next = watch(client)
    await waitUntil('a free place', async () => {
      if (next.events[0]?.errors !== undefined) next = watch(client)
      await api.operate('startVersion')
      await api.operate('stopVersion')
      return next.events.some(({ data }) => data !== undefined && data !== null)
    })
  })
})

describe('a client of KRE, which speaks the protocol of subscriptions-transport-ws', () => {
  type Said = { type: string; id?: string; payload?: unknown }
  /** What it is told, as it comes. */
  async function speak(headers: Record<string, string> = api.asOwner) {
    expect(await handshake({ headers }, 'graphql-ws')).toBe(101)
    const socket = sockets.at(-1) as WebSocket
    const heard: Said[] = []
    socket.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as Said))
    const closed = once(socket, 'close').then(([code]) => code as number)
    const say = (message: object) => socket.send(JSON.stringify(message))
    return { heard, say, closed }
  }
  const start = (query: string, id = '1') => ({
    id,
    type: 'start',
    payload: { query, variables: {}, operationName: null, extensions: {} },
  })
  const isHeard = (heard: Said[], type: string) => heard.some((one) => one.type === type)

  test('hears events until it stops', async () => {
    const { heard, say, closed } = await speak()
    say({ type: 'connection_init', payload: null })
    await waitUntil('a welcome', () => isHeard(heard, 'connection_ack'))
    say(start(WATCH))
    let comment = 0
    await waitUntil('an event', async () => {
      comment += 1
      await api.operate(comment % 2 === 1 ? 'startVersion' : 'stopVersion', 'v1')
      return isHeard(heard, 'data')
    })
    expect(heard.find(({ type }) => type === 'data')).toEqual({
      id: '1',
      type: 'data',
      payload: { data: { watchVersion: { name: 'v1', status: expect.any(String) } } },
    })
    say({ id: '1', type: 'stop' })
    say(start('subscription { nothing }', '2'))
    await waitUntil('a refusal', () => isHeard(heard, 'error'))
    expect(heard.find(({ type }) => type === 'error')).toMatchObject({
      id: '2',
      payload: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    })
    say({ type: 'connection_terminate' })
    expect(await closed).toBe(1000)
  })

  test('is closed with its login, and when it says nonsense', async () => {
    await makeUser(api, 'eve@kre.io', { accessLevel: 'VIEWER' })
    const eve = await speak(await bearerOf(api, 'eve@kre.io'))
    eve.say({ type: 'connection_init' })
    await api.graphql('mutation ($i: UsersInput!) { revokeUserSessions(input: $i) { id } }', {
      i: { userIds: ['eve@kre.io'], comment: 'c' },
    })
    expect(await eve.closed).toBe(4403)
    const other = await speak()
    sockets.at(-1)?.send('[1]')
    expect(await other.closed).toBe(4400)
  })
})

describe('a handshake', () => {
  test('needs a credential, our host, our address and the protocol', async () => {
    const headers = api.asOwner
    expect({
      none: await handshake({}),
      wrong: await handshake({ headers: { authorization: 'Bearer wrong' } }),
      otherHost: await handshake({ headers: { ...headers, host: 'evil.example' } }),
      otherPath: await handshake({ headers }, 'graphql-transport-ws', '/other'),
      otherProtocol: await handshake({ headers }, 'soap'),
      older: await handshake({ headers }, 'graphql-ws'),
      right: await handshake({ headers }),
    }).toEqual({
      none: 401,
      wrong: 401,
      otherHost: 421,
      otherPath: 404,
      otherProtocol: 400,
      older: 101,
      right: 101,
    })
  })

  test('with a cookie needs an origin of ours', async () => {
    const cookie = await signInAs(api, 'dev@local.local')
    expect({
      none: await handshake({ headers: { cookie } }),
      foreign: await handshake({ headers: { cookie }, origin: 'https://evil.example' }),
      sameSite: await handshake({
        headers: { cookie, 'sec-fetch-site': 'same-site' },
        origin: api.url,
      }),
      own: await handshake({ headers: { cookie }, origin: api.url }),
    }).toEqual({ none: 403, foreign: 403, sameSite: 403, own: 101 })
  })

  test('is refused while the caller has 16 sockets', async () => {
    const statuses: number[] = []
    for (let i = 0; i < 17; i += 1) statuses.push(await handshake({ headers: api.asOwner }))
    expect(statuses).toEqual([...Array<number>(16).fill(101), 429])
    sockets[0]?.terminate()
    await waitUntil('a free place', async () => (await handshake({ headers: api.asOwner })) === 101)
  })
})

test('a request that offers HTTP/2 is answered by HTTP/1.1', async () => {
  const headers = {
    ...api.asOwner,
    connection: 'Upgrade, HTTP2-Settings',
    upgrade: 'h2c',
    'http2-settings': 'AAMAAABkAAQAAP__',
  }
  expect((await api.send('/healthz', { headers })).status).toBe(200)
  expect((await api.send('/api/v1/runtimes/demo/uploads', { headers })).status).toBe(200)
})

describe('a socket', () => {
  test.each([
    ['says nothing', [], 4408],
    ['says no JSON', ['nonsense'], 4400],
    [
      'subscribes before it says hello',
      ['{"type":"subscribe","id":"1","payload":{"query":"x"}}'],
      4401,
    ],
    ['says hello twice', ['{"type":"connection_init"}', '{"type":"connection_init"}'], 4429],
    [
      'says too much',
      [`{"type":"connection_init","payload":{"a":"${'x'.repeat(300_000)}"}}`],
      1009,
    ],
  ])('that %s is closed', async (_, messages, code) => {
    expect(await handshake({ headers: api.asOwner })).toBe(101)
    const [socket] = sockets
    const closed = once(socket as WebSocket, 'close')
    for (const message of messages) socket?.send(message)
    expect((await closed)[0]).toBe(code)
    expect((await api.send('/healthz')).status).toBe(200)
  })
})
