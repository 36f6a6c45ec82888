import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { ingestBundle } from '@kre/bundle'
import { waitUntil } from '@kre/service-kit'
import { makeUser, bearerOf } from '../testing/people.ts'
import { uploadSmallBundle } from '../testing/small-bundle.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

const CALL = '/api/v1/runtimes/demo/versions/small-v1/call/Call'

/** Stands where the version's entrypoint stands; the real one is in tests/admin-ui-try-it.test.ts. */
let answer: (req: IncomingMessage, res: ServerResponse) => void
const door = createServer((req, res) => answer(req, res))
let api: TestApi

beforeAll(async () => {
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  api = await startTestApi({ ingest: ingestBundle })
  await uploadSmallBundle(api)
})
afterAll(async () => {
  door.closeAllConnections()
  door.close()
  await api[Symbol.asyncDispose]()
})
beforeEach(() => listenAt((door.address() as AddressInfo).port))

async function listenAt(port: number): Promise<void> {
  await api.operate('startVersion', 'small-v1')
  await api.observe()
  const placement = await api.store.placements.get('demo')
  if (placement === null) throw new Error('no placement')
  await api.store.placements.put({
    ...placement,
    workloads: placement.workloads.map((one) =>
      one.role === 'entrypoint' ? { ...one, address: `127.0.0.1:${port}` } : one,
    ),
  })
}

const json = (res: ServerResponse, body: string, status = 200) => {
  res.writeHead(status, { 'content-type': 'application/json' })
  res.end(body)
}
async function call(
  body = '{}',
  headers: Record<string, string> = {},
  path = CALL,
  as: Record<string, string> = api.asOwner,
) {
  const answered = await api.send(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...as, ...headers },
    body,
  })
  const lines = answered.text.split('\n').filter(Boolean)
  return { ...answered, events: lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('a call by the API', () => {
  test('goes to the entrypoint of the version and comes back with its status', async () => {
    let seen: unknown
    answer = async (req, res) => {
      const { authorization, cookie, ...headers } = req.headers
      seen = { path: req.url, body: await text(req), headers, authorization, cookie }
      json(res, '{"text":"</script><b>hi"}')
    }
    const { status, headers, events } = await call('{"text":"a"}', {
      'x-krt-tenant': 't1',
      'x-timeout-ms': '1234',
      'x-other': 'no',
    })
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'application/x-ndjson; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    })
    expect(events).toEqual([
      { type: 'message', message: { text: '</script><b>hi' }, elapsedMs: expect.any(Number) },
      {
        type: 'end',
        status: { code: 0, name: 'OK', message: '', details: [] },
        requestId: headers['x-request-id'],
        elapsedMs: expect.any(Number),
      },
    ])
    expect(seen).toMatchObject({
      path: '/small.Entrypoint/Call',
      body: '{"text":"a"}',
      authorization: undefined,
      cookie: undefined,
      headers: {
        'x-krt-tenant': 't1',
        'x-timeout-ms': '1234',
        'x-request-id': headers['x-request-id'],
        'content-type': 'application/json',
      },
    })
    expect(seen).not.toHaveProperty('headers.x-other')
  })

  test('passes a stream on message by message, and tells how it ended', async () => {
    let goOn: () => void = () => undefined
    answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('data: {"error":{"code":5,"details":[]}}\n\n')
      goOn = () =>
        res.end(
          'data: {"n":2}\n\nevent: error\ndata: {"code":13,"message":"broke","details":[]}\n\n',
        )
    }
    const req = request(new URL(CALL, api.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...api.asOwner },
    })
    req.end('{}')
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    let got = ''
    res.on('data', (chunk: Buffer) => (got += chunk.toString()))
    await waitUntil('the first message before the second is sent', () => got.includes('\n'))
    goOn()
    await once(res, 'end')
    expect(
      got
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      expect.objectContaining({ message: { error: { code: 5, details: [] } } }),
      expect.objectContaining({ message: { n: 2 } }),
      expect.objectContaining({
        type: 'end',
        status: { code: 13, name: 'INTERNAL', message: 'broke', details: [] },
      }),
    ])
  })

  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'BAD_JSON' }]
  const failures: [string, (res: ServerResponse) => void, object][] = [
    [
      'a failure of the door',
      (res) => json(res, JSON.stringify({ code: 3, message: 'no order', details }), 400),
      { code: 3, name: 'INVALID_ARGUMENT', message: 'no order', details },
    ],
    ['a page', (res) => json(res, '<html>', 502), { name: 'INTERNAL' }],
    ['something that is no status', (res) => json(res, '[]', 500), { name: 'UNKNOWN' }],
    ['half an answer', (res) => res.writeHead(200).flushHeaders() ?? res.destroy(), {}],
    ['nothing', (res) => res.destroy(), { name: 'UNAVAILABLE' }],
    ['too much', (res) => json(res, `"${'x'.repeat(17 * 1024 * 1024)}"`), { code: 8 }],
  ]
  test.each(failures)(
    'ends with a status when the entrypoint answers with %s',
    async (_, act, status) => {
      answer = (_req, res) => act(res)
      const { events, status: http } = await call()
      expect(http).toBe(200)
      expect(events).toHaveLength(1)
      expect(events[0]).toMatchObject({ type: 'end', status })
      expect(events[0]).not.toHaveProperty('status.code', 0)
    },
  )

  test('ends with UNAVAILABLE when nothing listens', async () => {
    const gone = createServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as AddressInfo
    gone.close()
    await listenAt(port)
    expect((await call()).events).toEqual([
      expect.objectContaining({ status: expect.objectContaining({ name: 'UNAVAILABLE' }) }),
    ])
  })

  test('is cancelled when its caller goes away', async () => {
    let isCancelled = false
    let hasArrived = false
    answer = (req, res) => {
      hasArrived = true
      req.resume()
      res.on('close', () => (isCancelled = !res.writableEnded))
    }
    const req = request(new URL(CALL, api.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...api.asOwner },
    })
    req.on('error', () => undefined)
    req.end('{}')
    await waitUntil('the call at the entrypoint', () => hasArrived)
    req.destroy()
    await waitUntil('its end there', () => isCancelled)
  })

  test('ends with the login of its caller', async () => {
    await makeUser(api, 'eve@kre.io', { grants: [{ runtimeId: 'demo', accessLevel: 'MANAGER' }] })
    const eve = await bearerOf(api, 'eve@kre.io')
    let hasArrived = false
    answer = () => (hasArrived = true)
    const called = call('{}', {}, CALL, eve)
    await waitUntil('the call at the entrypoint', () => hasArrived)
    await api.graphql('mutation ($input: UsersInput!) { removeUsers(input: $input) { id } }', {
      input: { userIds: ['eve@kre.io'], comment: 'she left' },
    })
    expect((await called).events).toEqual([])
  })

  test('has few places for one user', async () => {
    const open: ServerResponse[] = []
    answer = (req, res) => {
      req.resume()
      open.push(res)
    }
    const calls = Array.from({ length: 4 }, () => call())
    await waitUntil('four calls', () => open.length === 4)
    const refused = await call()
    expect([refused.status, refused.text]).toEqual([507, expect.stringContaining('TOO_MANY_CALLS')])
    for (const res of open) json(res, '{}')
    await Promise.all(calls)
    answer = (_req, res) => json(res, '{}')
    expect((await call()).status).toBe(200)
  })

  test.each([
    ['a deadline that is none', { 'x-timeout-ms': '0' }, CALL, 400],
    ['a deadline of hours', { 'x-timeout-ms': '9999999' }, CALL, 400],
    ['another type of body', { 'content-type': 'text/plain' }, CALL, 415],
    ['an unknown rpc', {}, CALL.replace('/Call', '/Nope'), 404],
    ['an unknown version', {}, CALL.replace('small-v1', 'nope'), 404],
    ['an unknown runtime', {}, CALL.replace('demo', 'nope'), 404],
  ])('refuses %s', async (_, headers, path, status) => {
    answer = () => {
      throw new Error('not to be asked')
    }
    expect((await call('{}', headers as Record<string, string>, path)).status).toBe(status)
  })

  test('says what to do about a version that does not run', async () => {
    await api.operate('stopVersion', 'small-v1')
    await api.observe()
    const { status, text: said } = await call()
    expect(status).toBe(409)
    expect(JSON.parse(said)).toMatchObject({
      code: 'VERSION_NOT_STARTED',
      message:
        'version "small-v1" is STOPPED and has no address: start it (krectl version start -r demo small-v1)',
    })
  })
})
