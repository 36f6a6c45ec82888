import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { MINUTE_MS } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { createFolderMailer } from '../mail/folder-mailer.ts'
import { createSmtpMailer } from '../mail/smtp-mailer.ts'
import { makeUser } from '../testing/people.ts'
import { startMailServer, type MailServer } from '../testing/start-mail-server.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let mail: MailServer
let api: TestApi
let mailer: ReturnType<typeof createSmtpMailer>

beforeEach(async () => {
  mail = await startMailServer()
  mailer = createSmtpMailer({
    host: '127.0.0.1',
    port: mail.port,
    sender: 'kre@kre.io',
    senderName: 'KRE "dev", <x>',
    user: '',
    pass: '',
  })
  api = await startTestApi({ mailer })
  await makeUser(api, 'ada@kre.io', { accessLevel: 'MANAGER' })
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
  mailer.close()
  await mail[Symbol.asyncDispose]()
})

const JSON_TYPE = { 'content-type': 'application/json' }
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  api.send(path, {
    method: 'POST',
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  })

/** Asks for a link as a browser does, and keeps what it would keep. */
async function ask(email: unknown = 'ada@kre.io', headers: Record<string, string> = {}) {
  const { status, text, headers: answer } = await post('/api/v1/auth/signin', { email }, headers)
  return {
    status,
    body: JSON.parse(text) as Record<string, unknown>,
    setCookie: answer['set-cookie']?.[0] ?? '',
    cookie: answer['set-cookie']?.[0]?.split(';')[0] ?? '',
    code: String(answer['x-kre-sign-in-code']),
    headers: answer,
  }
}
const verify = async (path: string, headers: Record<string, string>, more = {}) => {
  const verificationCode = path.split('/').at(-1)
  const answer = await post('/api/v1/auth/signin/verify', { verificationCode, ...more }, headers)
  return {
    status: answer.status,
    body: JSON.parse(answer.text) as Record<string, unknown>,
    cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '',
  }
}
const me = async (cookie: string) =>
  (await api.graphql('{ me { id accessLevel } }', {}, { cookie })).data?.['me'] ?? null
const allow = (domain: string) =>
  api.graphql(
    `mutation { updateSettings(input: {authAllowedDomains: ["${domain}"]}) { authAllowedDomains } }`,
  )

describe('sign-in by mail', () => {
  test('sends a link that signs in the browser that asked, once', async () => {
    const asked = await ask(' ADA@kre.io ')
    expect(asked).toMatchObject({
      status: 200,
      body: { message: 'Email sent to the user.' },
      setCookie: expect.stringMatching(
        /^kre_asked=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=900$/,
      ),
      code: expect.stringMatching(/^\d{6}$/),
    })
    const path = await mail.link(1)
    expect(mail.mails[0]?.to).toEqual(['ada@kre.io'])
    expect(mail.mails[0]?.text).not.toContain(asked.code)
    for (let i = 0; i < 3; i += 1)
      expect((await api.send(path, { headers: { cookie: asked.cookie } })).text).not.toContain(
        '<input',
      )
    const { status, body, cookie } = await verify(path, { cookie: asked.cookie })
    expect([status, body]).toEqual([200, { message: 'Login success' }])
    expect(await me(cookie)).toEqual({ id: 'ada@kre.io', accessLevel: 'MANAGER' })
    expect(await verify(path, { cookie: asked.cookie })).toMatchObject({
      status: 400,
      body: { code: 'invalid_verification_code' },
      cookie: '',
    })
  })

  test('signs in exactly one of 50 parallel callers', async () => {
    const { cookie } = await ask()
    const path = await mail.link(1)
    const answers = await Promise.all(Array.from({ length: 50 }, () => verify(path, { cookie })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('asks any other browser for the code, five times', async () => {
    const { code } = await ask()
    const path = await mail.link(1)
    const page = await api.send(path)
    expect(page.text).toContain('<input name="code"')
    const type = (typed: string) =>
      api.send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ code: typed }).toString(),
      })
    expect((await type('')).status).toBe(403)
    expect((await verify(path, {})).body['code']).toBe('invalid_verification_code')
    const used = await type(` ${code.slice(0, 3)} ${code.slice(3)} `)
    expect(used.status).toBe(303)
    expect(await me(used.headers['set-cookie']?.[0]?.split(';')[0] ?? '')).toMatchObject({
      id: 'ada@kre.io',
    })

    const second = await ask()
    const secondPath = await mail.link(2)
    const wrong = second.code === '000000' ? '111111' : '000000'
    for (let i = 0; i < 5; i += 1)
      expect((await verify(secondPath, {}, { code: wrong })).status).toBe(400)
    api.clock.offsetMs = MINUTE_MS
    expect(
      (await verify(secondPath, { cookie: second.cookie }, { code: second.code })).status,
    ).toBe(400)
  })

  test('ends after 15 minutes, and with the removal of the user', async () => {
    const { cookie } = await ask()
    const path = await mail.link(1)
    api.clock.offsetMs = 15 * MINUTE_MS
    expect((await verify(path, { cookie })).status).toBe(400)
    const second = await ask('ada@kre.io', { cookie })
    const secondPath = await mail.link(2)
    await api.graphql(
      'mutation { removeUsers(input: {userIds: ["ada@kre.io"], comment: "c"}) { id } }',
    )
    expect((await verify(secondPath, { cookie: second.cookie })).status).toBe(400)
  })

  test('answers alike for addresses that are known, unknown, allowed, disallowed and removed', async () => {
    await allow('new.example')
    await makeUser(api, 'gone@new.example')
    await api.graphql(
      'mutation { removeUsers(input: {userIds: ["gone@new.example"], comment: "c"}) { id } }',
    )
    const answers = []
    const emails = [
      'ada@kre.io',
      'eve@kre.io',
      'x@new.example',
      'x@sub.new.example',
      'gone@new.example',
    ]
    for (const email of emails) {
      const { status, body, setCookie, headers } = await ask(email)
      const { date: _, 'x-request-id': __, ...rest } = headers
      answers.push([
        status,
        body,
        setCookie.replace(/=[\w-]{43};/, ''),
        Object.keys(rest).toSorted(),
        headers['content-length'],
      ])
    }
    for (const answer of answers) expect(answer).toEqual(answers[0])
    await mail.link(2)
    // Mails go out in order, so nothing of the others is on its way behind this one.
    await ask('ada@kre.io')
    await mail.link(3)
    expect(mail.mails.map(({ to }) => to[0])).toEqual(['ada@kre.io', 'x@new.example', 'ada@kre.io'])
  })

  test('makes a viewer of somebody new, when the address is proved and not before', async () => {
    await allow('new.example')
    const { cookie } = await ask('x@new.example')
    const path = await mail.link(1)
    expect(await api.store.identity.users.find('x@new.example')).toBeNull()
    const { cookie: login } = await verify(path, { cookie })
    expect(await me(login)).toEqual({ id: 'x@new.example', accessLevel: 'VIEWER' })
  })

  test('lets nobody in whose domain is not allowed any more', async () => {
    await allow('new.example')
    const { cookie } = await ask('x@new.example')
    const path = await mail.link(1)
    await allow('other.example')
    expect(await verify(path, { cookie })).toMatchObject({
      status: 403,
      body: { code: 'user_not_allowed' },
      cookie: '',
    })
  })

  test('makes nobody the owner of the development token', async () => {
    await allow('local.local')
    await ask('dev@local.local')
    await ask('ada@kre.io')
    await mail.link(1)
    expect(mail.mails[0]?.to).toEqual(['ada@kre.io'])
  })

  test('ends the login that the browser had before', async () => {
    const { cookie } = await ask()
    const { cookie: first } = await verify(await mail.link(1), { cookie })
    await ask('ada@kre.io', { cookie })
    const { cookie: second } = await verify(await mail.link(2), { cookie: `${cookie}; ${first}` })
    expect([await me(first), await me(second)]).toEqual([null, expect.any(Object)])
  })

  test('is not for pages of other sites', async () => {
    const { cookie } = await ask()
    const path = await mail.link(1)
    for (const foreign of [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      expect((await ask('ada@kre.io', foreign as Record<string, string>)).status).toBe(403)
      expect((await verify(path, { cookie, ...(foreign as Record<string, string>) })).status).toBe(
        403,
      )
    }
    expect((await verify(path, { cookie, origin: api.url })).status).toBe(200)
  })

  test.each([
    [{}, 'validation_error'],
    [{ email: 'nobody' }, 'validation_error'],
    [{ email: 'ada@kre.io\r\nBcc: eve@kre.io' }, 'validation_error'],
    [{ email: ['ada@kre.io'] }, 'validation_error'],
    ['no json', 'invalid_json'],
  ])('refuses %j', async (body, code) => {
    const { status, text } = await api.send('/api/v1/auth/signin', {
      method: 'POST',
      headers: JSON_TYPE,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    expect([status, JSON.parse(text)]).toEqual([400, expect.objectContaining({ code })])
    if (code === 'validation_error')
      expect(JSON.parse(text)).toMatchObject({
        message: 'Invalid data',
        errors: [{ field: 'email', type: expect.any(String), description: expect.any(String) }],
      })
  })
})

describe('mails', () => {
  test('are limited to five in ten minutes for an address', async () => {
    for (let i = 0; i < 5; i += 1) expect((await ask()).status).toBe(200)
    const refused = await ask(' ADA@kre.io')
    expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await ask('eve@kre.io')).status).toBe(200)
    api.clock.offsetMs = 10 * MINUTE_MS
    expect((await ask()).status).toBe(200)
  })

  test('stay limited when the engine is started anew', async () => {
    const pepper = randomBytes(32)
    const askFrom = async (engine: TestApi) =>
      (
        await engine.send('/api/v1/auth/signin', {
          method: 'POST',
          headers: JSON_TYPE,
          body: '{"email":"ada@kre.io"}',
        })
      ).status
    await using before = await startTestApi({ mailer, pepper, store: api.store })
    for (let i = 0; i < 5; i += 1) expect(await askFrom(before)).toBe(200)
    await using after = await startTestApi({ mailer, pepper, store: api.store })
    expect(await askFrom(after)).toBe(429)
  })

  test('are limited to thirty an hour for a caller, whatever the addresses', async () => {
    const statuses = []
    for (let i = 0; i < 31; i += 1) statuses.push((await ask(`u${i}@kre.io`)).status)
    expect(statuses).toEqual([...Array<number>(30).fill(200), 429])
  })

  test('are sent again when the server refuses them for a while', async () => {
    mail.refuseNext(1)
    const { cookie } = await ask()
    expect((await verify(await mail.link(1), { cookie })).status).toBe(200)
  })

  test('are not sent again when the server refuses them for good, and leave no token in the log', async () => {
    const refusals = mail.filterLinks()
    await ask()
    const failure = () => api.logLines.find((line) => line.includes('given up'))
    await waitUntil('a refusal', () => failure() !== undefined)
    expect(refusals()).toBe(1)
    expect(failure()).toMatch(/554 blocked: http:\S+\/signin\/<token>/)
    expect(api.logLines.join('')).not.toMatch(/[\w-]{43}/)
  })

  test('leave no token in the store or in the log', async () => {
    const { cookie, code } = await ask()
    const token = (await mail.link(1)).split('/').at(-1) ?? ''
    const names = (await readdir(api.dataDir)).filter((name) => name.startsWith('kre.sqlite'))
    const files = await Promise.all(
      names.map((name) => readFile(join(api.dataDir, name), 'latin1')),
    )
    const everything = files.join('') + api.logLines.join('')
    for (const secret of [token, cookie.split('=')[1] ?? '']) {
      expect(secret).toHaveLength(43)
      expect(everything).not.toContain(secret)
    }
    expect(api.logLines.join('')).not.toContain(code)
    expect(everything).not.toContain('Sign in to KRE')
  })

  test('come from the address of the public URL, not from a Host header', async () => {
    await ask('ada@kre.io', { host: 'localhost:1' })
    await mail.link(1)
    expect(mail.mails[0]?.text).toContain(`${api.url}/signin/`)
    expect(mail.mails[0]?.text).toMatch(/^From: .*<kre@kre\.io>/m)
  })

  test('can be files in a folder, for development', async () => {
    const dir = join(api.dataDir, 'mail')
    await using dev = await startTestApi({ mailer: createFolderMailer(dir) })
    await makeUser(dev, 'ada@kre.io')
    await dev.send('/api/v1/auth/signin', {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"email":"ada@kre.io"}',
    })
    const files = () => readdir(dir).catch(() => [])
    await waitUntil('a mail', async () => (await files()).length === 1)
    const [file] = await files()
    expect((await stat(join(dir, file ?? ''))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(dir, file ?? ''), 'utf8')).toContain(`${dev.url}/signin/`)
  })

  test('are said to be off where there is no server for them', async () => {
    await using silent = await startTestApi()
    const { status, text } = await silent.send('/api/v1/auth/signin', {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"email":"ada@kre.io"}',
    })
    expect([status, JSON.parse(text)]).toEqual([
      501,
      expect.objectContaining({ code: 'mail_not_configured' }),
    ])
  })
})
