import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@kre/contracts'
import { createAdminApi } from '../admin-api.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi

beforeEach(async () => {
  api = await startTestApi()
})
afterEach(() => api[Symbol.asyncDispose]())

type Link = { url: string; expiresAt: string; reused: boolean }
const makeLink = async (query = ''): Promise<Link & { path: string }> => {
  const { text } = await api.send(`/api/v1/auth/login-link${query}`, {
    method: 'POST',
    headers: api.asOwner,
  })
  const link = JSON.parse(text) as Link
  return { ...link, path: new URL(link.url).pathname }
}
const use = (path: string, headers: Record<string, string> = {}) =>
  api.send(path, { method: 'POST', headers })
const me = (cookie: string) => api.graphql('{ me { email accessLevel } }', {}, { cookie })

describe('a sign-in link', () => {
  test('is shown without being used up, signs in once, and then says that it is gone', async () => {
    const { path } = await makeLink()
    for (let i = 0; i < 3; i += 1) {
      const page = await api.send(path)
      expect(page.status).toBe(200)
      expect(page.text).toContain('<form method="post">')
      expect(page.text).not.toContain('<script')
    }
    const used = await use(path)
    expect(used.status).toBe(303)
    // To the root, wherever that is for browsers.
    expect(used.headers.location).toBe('../')
    expect(used.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^kre_session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/,
      ),
    ])
    const cookie = used.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    expect(await me(cookie)).toMatchObject({
      data: { me: { email: 'dev@local.local', accessLevel: 'ADMIN' } },
    })
    const again = await use(path)
    expect(again.status).toBe(410)
    expect(again.text).toContain('does not work any more')
    expect(again.headers['set-cookie']).toBeUndefined()
  })

  test('signs in exactly one of 50 parallel callers', async () => {
    const { path } = await makeLink()
    const answers = await Promise.all(Array.from({ length: 50 }, () => use(path)))
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
  })

  test('is the same one until it is used, expires, or a new one is asked for', async () => {
    const first = await makeLink()
    expect(first.reused).toBe(false)
    expect(await makeLink()).toEqual({ ...first, reused: true })
    const second = await makeLink('?new=1')
    expect(second).toMatchObject({ reused: false, path: expect.not.stringContaining(first.path) })
    expect((await use(first.path)).status).toBe(410)
    expect((await use(second.path)).status).toBe(303)
    const third = await makeLink()
    expect(third.reused).toBe(false)
    api.clock.offsetMs = 16 * MINUTE_MS
    expect((await use(third.path)).status).toBe(410)
    expect((await makeLink()).reused).toBe(false)
  })

  test('is not for pages of other sites to use', async () => {
    const { path } = await makeLink()
    expect((await use(path, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await use(path, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await use(path, { origin: api.url })).status).toBe(303)
  })

  test('can’t be guessed for long', async () => {
    const statuses = []
    for (let i = 0; i < 11; i += 1) statuses.push((await use(`/signin/${'a'.repeat(43)}`)).status)
    expect(statuses).toEqual([...Array<number>(10).fill(410), 429])
    expect((await use((await makeLink()).path)).status).toBe(303)
  })
})

describe('a login', () => {
  test('ends with logout, at once and for good', async () => {
    const cookie = await api.signIn()
    const logout = () =>
      api.send('/api/v1/auth/logout', { method: 'POST', headers: { cookie, origin: api.url } })
    const answer = await logout()
    expect(answer.status).toBe(200)
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^kre_session=; .*Max-Age=0/)
    expect((await me(cookie)).status).toBe(401)
    const again = await logout()
    expect([again.status, JSON.parse(again.text)]).toEqual([
      401,
      expect.objectContaining({ code: 'invalid_session' }),
    ])
  })

  test('ends after eight hours without use', async () => {
    const cookie = await api.signIn()
    for (let hours = 7; hours <= 28; hours += 7) {
      api.clock.offsetMs = hours * HOUR_MS
      expect((await me(cookie)).status).toBe(200)
    }
    api.clock.offsetMs = 36 * HOUR_MS
    expect((await me(cookie)).status).toBe(401)
  })

  test('ends after the days of the settings in any case', async () => {
    const set = await api.graphql(
      'mutation { updateSettings(input: { sessionLifetimeInDays: 7 }) { sessionLifetimeInDays } }',
    )
    expect(set.data).toEqual({ updateSettings: { sessionLifetimeInDays: 7 } })
    const cookie = await api.signIn()
    for (let hours = 0; hours < 168; hours += 7) {
      api.clock.offsetMs = hours * HOUR_MS
      expect((await me(cookie)).status).toBe(200)
    }
    api.clock.offsetMs = 7 * DAY_MS + MINUTE_MS
    expect((await me(cookie)).status).toBe(401)
  })

  test('gets a cookie bound to its host behind https', async () => {
    await using secure = await startTestApi({ publicUrl: () => 'https://kre.example.com' })
    const link = await secure.send('/api/v1/auth/login-link', {
      method: 'POST',
      headers: secure.asOwner,
    })
    const url = new URL((JSON.parse(link.text) as Link).url)
    expect(url.origin).toBe('https://kre.example.com')
    const headers = { host: 'kre.example.com', origin: 'https://kre.example.com' }
    const used = await secure.send(url.pathname, { method: 'POST', headers })
    expect(used.headers['set-cookie']?.[0]).toMatch(
      /^__Host-kre=.*; Path=\/; HttpOnly; .*; Secure$/,
    )
  })

  test('gets links below the path that a proxy puts in front, and back to it', async () => {
    await using behind = await startTestApi({ publicUrl: () => 'https://example.com/kre/' })
    const link = await behind.send('/api/v1/auth/login-link', {
      method: 'POST',
      headers: behind.asOwner,
    })
    const url = new URL((JSON.parse(link.text) as Link).url)
    expect(url.href).toMatch(/^https:\/\/example\.com\/kre\/signin\/[\w-]+$/)
    const headers = { host: 'example.com', origin: 'https://example.com' }
    // The proxy takes its path off on the way.
    const path = url.pathname.replace('/kre', '')
    const used = await behind.send(path, { method: 'POST', headers })
    expect(used.status).toBe(303)
    expect(new URL(used.headers.location ?? '', url).href).toBe('https://example.com/kre/')
  })
})

describe('wrong credentials', () => {
  const wrong = (engine: TestApi, client: string) =>
    engine.send('/', {
      headers: { authorization: 'Bearer wrong', 'x-forwarded-for': `9.9.9.9, ${client}` },
    })

  test('are counted by the caller behind a trusted proxy', async () => {
    await using behind = await startTestApi({ trustedProxies: ['127.0.0.0/8'] })
    for (let i = 0; i < 10; i += 1) expect((await wrong(behind, '10.0.0.1')).status).toBe(401)
    expect((await wrong(behind, '10.0.0.1')).status).toBe(429)
    expect((await wrong(behind, '10.0.0.2')).status).toBe(401)
  })

  test('are counted by the connection where no proxy is trusted', async () => {
    for (let i = 0; i < 10; i += 1) expect((await wrong(api, `10.0.0.${i}`)).status).toBe(401)
    expect((await wrong(api, '10.0.0.99')).status).toBe(429)
  })
})

describe('secrets of sign-in', () => {
  test('are neither stored nor logged', async () => {
    const { path } = await makeLink()
    const token = path.split('/').at(-1) ?? ''
    const used = await use(path)
    const cookie = used.headers['set-cookie']?.[0]?.split(/[=;]/)[1] ?? ''
    const pending = (await makeLink()).path.split('/').at(-1) ?? ''
    const names = await readdir(api.dataDir)
    const databases = names.filter((name) => name.startsWith('kre.sqlite'))
    const stored = await Promise.all(
      databases.map((name) => readFile(join(api.dataDir, name), 'latin1')),
    )
    const everything = stored.join('') + api.logLines.join('')
    expect(token).toHaveLength(43)
    expect(cookie).toHaveLength(43)
    for (const secret of [token, cookie, pending, api.asOwner.authorization.slice(7)])
      expect(everything).not.toContain(secret)
  })

  test('have to be secrets', () => {
    const { store, events } = api
    const make = (pepper: Buffer, bootstrapToken: string) => () =>
      createAdminApi({
        store,
        events,
        pepper,
        bootstrapToken,
        ingest: () => Promise.reject(new Error('unused')),
        logger: {} as never,
        publicUrl: () => api.url,
      })
    expect(make(Buffer.alloc(31), 'x'.repeat(32))).toThrow('the pepper has 31 bytes')
    expect(make(Buffer.alloc(32), 'x'.repeat(31))).toThrow(
      'the development token has 31 characters',
    )
  })
})
