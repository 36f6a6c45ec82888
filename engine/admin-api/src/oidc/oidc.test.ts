import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { MINUTE_MS, MiB } from '@kre/contracts'
import { makeUser } from '../testing/people.ts'
import { startHostileProvider, type Lie } from '../testing/start-hostile-provider.ts'
import { signInAtProvider, startOidcProvider } from '../testing/start-oidc-provider.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { createIdentityProvider, type IdentityProvider } from './identity-provider.ts'

const SECRET = 'a secret of the client'

async function begin(api: TestApi) {
  const { status, headers } = await api.send('/api/v1/auth/oidc')
  const setCookie = headers['set-cookie']?.[0] ?? ''
  return {
    status,
    location: headers.location ?? '',
    setCookie,
    cookie: setCookie.split(';')[0] ?? '',
  }
}

/** What browsers send when they open an address. */
const VISIT = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

async function comeBack(api: TestApi, url: URL, cookie: string) {
  const { status, headers, text } = await api.send(url.pathname + url.search, {
    headers: { cookie },
  })
  const cookies = headers['set-cookie'] ?? []
  const login = cookies.find((value) => value.startsWith('kre_session='))?.split(';')[0] ?? null
  const code = text === '' ? null : (JSON.parse(text) as { code: string }).code
  return { status, login, code }
}

const emailOf = async (api: TestApi, cookie: string | null) => {
  const { data } = await api.graphql('{ me { id } }', {}, { cookie: cookie ?? '' })
  return (data?.['me'] as { id: string } | undefined)?.id ?? null
}

describe('sign-in at a real provider', () => {
  // It says at length that it is not set up for production.
  beforeEach(() => {
    for (const method of ['warn', 'info'] as const)
      jest.spyOn(console, method).mockImplementation(() => undefined)
  })
  afterEach(() => void jest.restoreAllMocks())

  test('brings in who is known there by a verified address, and nobody else', async () => {
    let api: TestApi | null = null
    await using provider = await startOidcProvider(
      (login) => ({ email: `${login}@KRE.io`, email_verified: login !== 'eve' }),
      () => `${api?.url}/api/v1/auth/oidc/callback`,
    )
    const oidc = { issuer: provider.issuer, clientId: 'kre', clientSecret: SECRET }
    await using started = await startTestApi({ oidc })
    api = started
    provider.open()
    for (const email of ['ada@kre.io', 'eve@kre.io']) await makeUser(api, email)

    const { location, setCookie, cookie } = await begin(api)
    expect(setCookie).toMatch(/^kre_oidc=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/)
    const back = await signInAtProvider(location, 'ada')
    expect(await comeBack(api, back, '')).toMatchObject({ status: 401, login: null })
    const first = await comeBack(api, back, cookie)
    expect(first.status).toBe(303)
    expect(await emailOf(api, first.login)).toBe('ada@kre.io')
    expect(await comeBack(api, back, cookie)).toMatchObject({ status: 401, login: null })

    for (const [login, status] of [
      ['eve', 403],
      ['stranger', 403],
    ] as const) {
      const next = await begin(api)
      const returned = await signInAtProvider(next.location, login)
      expect(await comeBack(api, returned, next.cookie)).toEqual({
        status,
        login: null,
        code: 'user_not_allowed',
      })
    }
    expect(await api.store.identity.users.find('stranger@kre.io')).toBeNull()
  })
})

describe('an identity provider', () => {
  let provider: Awaited<ReturnType<typeof startHostileProvider>>
  let api: TestApi

  beforeEach(async () => {
    provider = await startHostileProvider(SECRET)
    const oidc = { issuer: provider.issuer, clientId: 'kre', clientSecret: SECRET }
    api = await startTestApi({ oidc })
    await makeUser(api, 'ada@kre.io')
  })
  afterEach(async () => {
    await api[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
  })

  async function signIn(change: (url: URL) => void = () => undefined) {
    const { location, cookie } = await begin(api)
    const url = provider.answer(location)
    change(url)
    return comeBack(api, url, cookie)
  }

  test('is believed when it tells the truth, and gets the verifier of the challenge', async () => {
    const { location, cookie } = await begin(api)
    const { login } = await comeBack(api, provider.answer(location), cookie)
    expect(await emailOf(api, login)).toBe('ada@kre.io')
    expect(new URL(location).searchParams.get('code_challenge_method')).toBe('S256')
    expect(provider.challenges).toEqual([new URL(location).searchParams.get('code_challenge')])
  })

  const past = Math.floor(Date.now() / 1_000) - 3_600
  const lies: [string, Lie][] = [
    ['another nonce', { claims: { nonce: 'x'.repeat(43) } }],
    ['another issuer', { claims: { iss: 'https://evil.example' } }],
    ['another audience', { claims: { aud: 'other' } }],
    ['many audiences', { claims: { aud: ['kre', 'other'] } }],
    ['an end that was', { claims: { exp: past } }],
    ['no subject', { claims: { sub: '' } }],
    ['another key', { signWith: 'another key' }],
    ['the shared secret', { signWith: 'the client secret' }],
    ['no signature', { signWith: 'nothing' }],
  ]
  test.each(lies)('is not believed with %s', async (_name, lie) => {
    provider.lie(lie)
    expect(await signIn()).toEqual({ status: 401, login: null, code: 'unauthorized' })
    provider.lie({})
    expect((await signIn()).status).toBe(303)
  })

  test.each([
    ['not verified', { email_verified: false }],
    ['verified as a word', { email_verified: 'true' }],
    ['none', { email: null }],
    ['no address', { email: 'ada' }],
    ['two of them', { email: 'eve@kre.io,ada@kre.io' }],
    ['the owner of the development token', { email: 'dev@local.local' }],
  ])('links no account to an address that is %s', async (_name, claims) => {
    provider.lie({ claims })
    expect(await signIn()).toMatchObject({ status: 403, login: null })
  })

  test('answers for the sign-in that the browser began, and not for another', async () => {
    const victim = await begin(api)
    const attacker = await begin(api)
    const url = provider.answer(attacker.location)
    expect((await comeBack(api, url, victim.cookie)).status).toBe(401)
    expect(
      (await signIn((changed) => changed.searchParams.set('state', 'x'.repeat(43)))).status,
    ).toBe(401)
    expect((await signIn((changed) => changed.searchParams.delete('state'))).status).toBe(401)
    const forged = attacker.cookie.replace(/\.[\w-]{5}/, '.AAAAA')
    expect((await comeBack(api, url, forged)).status).toBe(401)
  })

  test('is to answer within ten minutes', async () => {
    const { location, cookie } = await begin(api)
    const url = provider.answer(location)
    api.clock.offsetMs = 10 * MINUTE_MS
    expect((await comeBack(api, url, cookie)).status).toBe(401)
  })

  test('gets 503 from those who come back while it gives no answer, and counts for nobody', async () => {
    for (const token of [{ status: 500 }, { bytes: 2 * MiB }, null]) {
      for (let attempt = 0; attempt < 5; attempt += 1) {
        provider.lie({ token })
        expect(await signIn()).toEqual({ status: 503, login: null, code: 'unavailable' })
      }
    }
    provider.lie({ claims: { aud: 'other' } })
    expect((await signIn()).status).toBe(401)
  })

  test('says to people on a page why a sign-in failed, and in the log', async () => {
    const { location, cookie } = await begin(api)
    const url = provider.answer(location)
    url.searchParams.delete('code')
    url.searchParams.set('error', 'access_denied')
    url.searchParams.set('error_description', 'the <b>user</b> said no')
    const answer = await api.send(url.pathname + url.search, { headers: { cookie, ...VISIT } })
    expect(answer).toMatchObject({
      status: 401,
      headers: { 'content-type': 'text/html; charset=utf-8' },
      text: expect.stringMatching(/begin it again[^]*href="\.\.\/\.\.\/\.\.\/\.\.\/"/),
    })
    expect(answer.text).not.toContain('<b>')
    expect(api.logLines.join('')).toContain(
      '"error":"access_denied","error_description":"the <b>user</b> said no"',
    )
  })

  test('that verified no address is named in the log', async () => {
    provider.lie({ claims: { email_verified: false } })
    expect((await signIn()).status).toBe(403)
    expect(api.logLines.join('')).toContain('vouches for no e-mail address')
  })

  test('keeps its tokens out of the log', async () => {
    provider.lie({ claims: { nonce: 'x'.repeat(43) } })
    await signIn()
    const log = api.logLines.join('')
    expect(log).toContain('a sign-in by OpenID Connect failed')
    expect(log).not.toMatch(/eyJ|access_token|x{43}/)
  })
})

describe('what an identity provider says of itself', () => {
  const finish = async (known: IdentityProvider) => {
    const { url, request } = await known.begin('http://localhost/back')
    return known.finish(provider.answer(url), request)
  }
  let provider: Awaited<ReturnType<typeof startHostileProvider>>
  beforeEach(async () => void (provider = await startHostileProvider(SECRET)))
  afterEach(() => provider[Symbol.asyncDispose]())

  test('is asked again after ten minutes: it may sign with keys of another kind by then', async () => {
    let nowMs = 0
    const oidc = { issuer: provider.issuer, clientId: 'kre', clientSecret: SECRET }
    const known = createIdentityProvider(oidc, () => nowMs)
    expect(await finish(known)).toBe('ada@kre.io')
    await provider.rotate('ES256')
    provider.lie({ metadata: { id_token_signing_alg_values_supported: ['ES256'] } })
    await expect(finish(known)).rejects.toThrow(/invalid response/)
    nowMs = 10 * MINUTE_MS
    expect(await finish(known)).toBe('ada@kre.io')
  })

  test('holds for its keys no longer than it signs with them: a new one is believed at once', async () => {
    const oidc = { issuer: provider.issuer, clientId: 'kre', clientSecret: SECRET }
    const known = createIdentityProvider(oidc)
    expect(await finish(known)).toBe('ada@kre.io')
    await provider.rotate('RS256')
    expect(await finish(known)).toBe('ada@kre.io')
  })

  test.each([
    ['nothing', undefined, 'header'],
    ['both', ['client_secret_post', 'client_secret_basic'], 'header'],
    ['the body alone', ['client_secret_post'], 'body'],
  ])('about how it knows clients is followed: %s', async (_name, methods, place) => {
    provider.lie({
      metadata: methods === undefined ? {} : { token_endpoint_auth_methods_supported: methods },
    })
    const oidc = { issuer: provider.issuer, clientId: 'kre', clientSecret: SECRET }
    expect(await finish(createIdentityProvider(oidc))).toBe('ada@kre.io')
    expect(provider.secretsIn).toEqual([place])
  })
})

describe('an identity provider that can’t be asked', () => {
  test('because it is not there: people get a page', async () => {
    const issuer = await closedAddress()
    await using api = await startTestApi({ oidc: { issuer, clientId: 'kre', clientSecret: null } })
    const { status, text } = await api.send('/api/v1/auth/oidc', { headers: VISIT })
    expect(status).toBe(503)
    expect(text).toMatch(/<p>the identity provider gives no answer[^]*href="\.\.\/\.\.\/\.\.\/"/)
  })

  test.each([
    ['is not there', null],
    ['describes itself without end', { padding: 'x'.repeat(2 * MiB) }],
    ['calls itself something else', { issuer: 'https://evil.example' }],
    ['signs with shared keys only', { id_token_signing_alg_values_supported: ['HS256'] }],
  ])('because it %s: the engine says so and lives', async (_name, metadata) => {
    await using provider = await startHostileProvider(SECRET)
    provider.lie({ metadata: metadata ?? {} })
    const issuer = metadata === null ? await closedAddress() : provider.issuer
    await using api = await startTestApi({ oidc: { issuer, clientId: 'kre', clientSecret: null } })
    expect((await begin(api)).status).toBe(503)
    provider.lie({})
    if (metadata !== null) expect((await begin(api)).status).toBe(303)
    expect((await api.send('/healthz')).status).toBe(200)
  })

  test('because there is none', async () => {
    await using api = await startTestApi()
    expect((await begin(api)).status).toBe(501)
  })
})

async function closedAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.address()
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 1}`
}
