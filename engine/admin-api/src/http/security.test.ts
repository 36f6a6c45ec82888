import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { EngineStatus } from '@kre/contracts'
import { BOOTSTRAP_TOKEN, startTestApi, type TestApi } from '../testing/start-test-api.ts'

const status: EngineStatus = {
  engine: { version: 'test', startedAt: '2026-01-01T00:00:00.000Z', dataDir: '/nowhere' },
  processes: [],
  addresses: [],
}
let api: TestApi

beforeEach(async () => {
  api = await startTestApi({ describe: async () => status })
  await api.createRuntime()
})
afterEach(() => api[Symbol.asyncDispose]())

const routes = [
  ['GET', '/'],
  ['GET', '/graphql?query={me{id}}'],
  ['POST', '/graphql'],
  ['PUT', '/api/v1/runtimes/demo/versions'],
  ['GET', '/api/v1/runtimes/demo/versions/v1/bundle'],
  ['GET', '/api/v1/runtimes/demo/versions/v1/descriptor-set'],
  ['GET', '/api/v1/status'],
  ['POST', '/api/v1/auth/login-link'],
  ['POST', '/api/v1/auth/logout'],
  ['GET', '/nothing/here'],
  ['DELETE', '/graphql'],
  ['OPTIONS', '/graphql'],
  ['GET', '/graphql/playground'],
] as const

describe('without a credential', () => {
  test.each(routes)('%s %s answers 401 and nothing else', async (method, path) => {
    const { status, text, headers } = await api.send(path, { method })
    expect(status).toBe(401)
    expect(JSON.parse(text)).toEqual({
      code: 'unauthorized',
      message: expect.stringContaining('krectl login'),
      requestId: headers['x-request-id'],
    })
  })

  test.each([
    { authorization: 'Bearer wrong' },
    { authorization: `Basic ${BOOTSTRAP_TOKEN}` },
    { authorization: `Bearer ${BOOTSTRAP_TOKEN.slice(0, -1)}` },
    { authorization: 'Bearer' },
    { authorization: '' },
    { cookie: 'kre_session=' },
    { cookie: `kre_session=${BOOTSTRAP_TOKEN}` },
    { cookie: `__Host-kre=${'a'.repeat(43)}; kre_session=x` },
  ])('a wrong one (%j) is none', async (headers) => {
    expect((await api.send('/', { headers })).status).toBe(401)
  })

  test('health is told', async () => {
    expect(await api.send('/healthz')).toMatchObject({ status: 200, text: '{"status":"ok"}\n' })
  })
})

describe('with a credential', () => {
  test('unknown paths are 404 and wrong methods 405', async () => {
    expect((await api.send('/nothing', { headers: api.asOwner })).status).toBe(404)
    expect((await api.send('/%E0%A4%A', { headers: api.asOwner })).status).toBe(404)
    const wrong = await api.send('/graphql', { method: 'DELETE', headers: api.asOwner })
    expect(wrong).toMatchObject({ status: 405, headers: { allow: 'GET, POST' } })
  })

  test('the engine describes itself', async () => {
    const answer = await api.send('/api/v1/status', { headers: api.asOwner })
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, status])
  })
})

describe('wrong credentials', () => {
  test('of an address are answered 429 after ten a minute, while the right one still works', async () => {
    const wrong = () => api.send('/', { headers: { authorization: 'Bearer wrong' } })
    for (let i = 0; i < 10; i += 1) expect((await wrong()).status).toBe(401)
    const limited = await wrong()
    expect(limited.status).toBe(429)
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0)
    expect((await api.send('/', { headers: api.asOwner })).status).toBe(200)
    api.clock.offsetMs = 61_000
    expect((await wrong()).status).toBe(401)
  })
})

describe('the Host header', () => {
  test.each(['127.0.0.1:1', 'localhost', 'kre.localhost:80', '[::1]:4000', 'LOCALHOST'])(
    '%s is ours',
    async (host) => {
      expect((await api.send('/healthz', { headers: { host } })).status).toBe(200)
    },
  )

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '10.0.0.1',
    'localhost@evil',
  ])('%j is answered 421', async (host) => {
    for (const path of ['/healthz', '/', '/signin/x']) {
      const { status, text } = await api.send(path, { headers: { ...api.asOwner, host } })
      expect(status).toBe(421)
      expect(text).not.toContain('dev@local')
    }
  })
})

describe('a login’s cookie', () => {
  const mutation = JSON.stringify({
    query: 'mutation { createRuntime(input: {id: "evil", name: "e", description: "e"}) { id } }',
  })
  const post = (headers: Record<string, string>, body = mutation) =>
    api.send('/graphql', { method: 'POST', headers, body })
  const runtimes = async () => (await api.store.runtimes.list()).map(({ id }) => id)

  test('works for our own page and for programs that send JSON', async () => {
    const cookie = await api.signIn()
    const type = { 'content-type': 'application/json' }
    expect(
      (await post({ cookie, ...type, origin: api.url, 'sec-fetch-site': 'same-origin' })).status,
    ).toBe(200)
    expect(await runtimes()).toContain('evil')
    expect(JSON.parse((await post({ cookie, ...type })).text)).toMatchObject({
      errors: [{ extensions: { code: 'ALREADY_EXISTS' } }],
    })
  })

  test.each([
    { 'content-type': 'application/json', origin: 'https://evil.example' },
    { 'content-type': 'application/json', origin: 'null' },
    { 'content-type': 'application/json', origin: 'http://127.0.0.1:1' },
    { 'content-type': 'application/json', 'sec-fetch-site': 'cross-site' },
    { 'content-type': 'application/json', 'sec-fetch-site': 'same-site' },
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'application/graphql' },
    { 'content-type': 'text/plain; application/json' },
    {},
  ])('changes nothing for a request like %j', async (headers) => {
    const cookie = await api.signIn()
    const bodies = [mutation, `query=${encodeURIComponent(mutation)}`]
    for (const body of bodies) {
      const answer = await post({ cookie, ...headers }, body)
      expect([403, 415]).toContain(answer.status)
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    }
    expect(await runtimes()).toEqual(['demo'])
  })

  test('never makes a GET change anything', async () => {
    const cookie = await api.signIn()
    const { query } = JSON.parse(mutation) as { query: string }
    const path = `/graphql?query=${encodeURIComponent(query)}`
    expect((await api.send(path, { headers: { cookie } })).status).toBe(403)
    const own = { cookie, 'sec-fetch-site': 'same-origin' }
    expect((await api.send(path, { headers: own })).status).toBe(405)
    expect((await api.send(path, { headers: api.asOwner })).status).toBe(405)
    expect(await runtimes()).toEqual(['demo'])
  })

  test('uploads from our own page, not from another', async () => {
    const cookie = await api.signIn()
    const put = (headers: Record<string, string>) =>
      api.send('/api/v1/runtimes/demo/versions', {
        method: 'PUT',
        headers: { cookie, ...headers },
        body: '{"version":"v1"}',
      })
    expect((await put({ origin: 'https://evil.example' })).status).toBe(403)
    expect((await put({ origin: api.url })).status).toBe(201)
  })

  test('can’t make sign-in links', async () => {
    const headers = { cookie: await api.signIn(), 'x-kre-csrf': '1' }
    const { status } = await api.send('/api/v1/auth/login-link', { method: 'POST', headers })
    expect(status).toBe(403)
  })
})

describe('every answer', () => {
  test('carries the security headers and no CORS header', async () => {
    const origin = 'https://evil.example'
    const answers = await Promise.all([
      api.send('/', { headers: { ...api.asOwner, origin } }),
      api.send('/graphql', { method: 'OPTIONS', headers: { ...api.asOwner, origin } }),
      api.send('/signin/x', { headers: { origin } }),
      api.send('/nothing', { headers: { origin } }),
      api.send('/graphql?query={me{id}}', { headers: { ...api.asOwner, origin } }),
    ])
    for (const { headers } of answers) {
      expect(headers['access-control-allow-origin']).toBeUndefined()
      expect(headers['access-control-allow-credentials']).toBeUndefined()
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
        'referrer-policy': 'same-origin',
      })
    }
  })
})

describe('the status page', () => {
  test('shows what runs, escaped', async () => {
    await api.graphql('mutation ($i: CreateRuntimeInput!) { createRuntime(input: $i) { id } }', {
      i: { id: 'evil', name: '<script>alert("1")</script>', description: 'd' },
    })
    await api.upload({ version: 'v1' })
    await api.operate('startVersion')
    await api.observe({ failures: { v1: '<img src=x onerror=alert(1)>' } })
    const { status, text, headers } = await api.send('/', {
      headers: { cookie: await api.signIn() },
    })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(text).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;')
    expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;')
    expect(text).not.toMatch(/<script|<img/)
    expect(text).toContain('127.0.0.1:7000')
  })
})
