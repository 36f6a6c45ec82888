import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { DAY_MS, HOUR_MS } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { openEventStream } from '../testing/event-stream.ts'
import { bearerOf, makeUser, signInAs, type Headers } from '../testing/people.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi
let admin: Headers

beforeEach(async () => {
  api = await startTestApi()
  await makeUser(api, 'admin@kre.io', { accessLevel: 'ADMIN' })
  admin = await bearerOf(api, 'admin@kre.io')
})
afterEach(() => api[Symbol.asyncDispose]())

async function run(
  field: string,
  input: Record<string, unknown>,
  headers = admin,
  selection = '{ id accessLevel }',
) {
  const type = ['removeUsers', 'revokeUserSessions'].includes(field)
    ? 'UsersInput'
    : `${field[0]?.toUpperCase()}${field.slice(1)}Input`
  const document = `mutation ($input: ${type}!) { ${field}(input: $input) ${selection} }`
  const { data, errors } = await api.graphql(document, { input }, headers)
  const error = errors?.[0]
  return error === undefined ? data?.[field] : [error.extensions['code'], error.message]
}
/** Code and message of what is refused. */
const refused = async (...command: Parameters<typeof run>) =>
  (await run(...command)) as [code: string, message: string]
const named = (...userIds: string[]) => ({ userIds, comment: 'for a test' })
const me = async (headers: Headers) =>
  (await api.graphql('{ me { id accessLevel globalAccessLevel } }', {}, headers)).data?.['me'] ??
  null

describe('users', () => {
  test('are made with their e-mail in lower case, and listed', async () => {
    expect(await run('createUser', { email: ' Ada@KRE.io ', accessLevel: 'MANAGER' })).toEqual({
      id: 'ada@kre.io',
      accessLevel: 'MANAGER',
    })
    const { data } = await api.graphql(
      '{ users { id accessLevel creationDate lastActivity activeSessions apiTokens { id } } }',
      {},
      admin,
    )
    const date = expect.stringMatching(/^20\d\d-.*Z$/)
    const nothing = { activeSessions: 0, apiTokens: [] }
    expect(data?.['users']).toEqual([
      {
        id: 'dev@local.local',
        accessLevel: 'ADMIN',
        creationDate: null,
        lastActivity: null,
        ...nothing,
      },
      {
        id: 'ada@kre.io',
        accessLevel: 'MANAGER',
        creationDate: date,
        lastActivity: null,
        ...nothing,
      },
      {
        id: 'admin@kre.io',
        accessLevel: 'ADMIN',
        creationDate: date,
        lastActivity: date,
        activeSessions: 1,
        apiTokens: [],
      },
    ])
  })

  test.each([
    '',
    'ada',
    'ada@',
    'ada@localhost',
    'a b@kre.io',
    'ada@kre.io\r\nBcc: eve@kre.io',
    'ada@kre.io,eve@kre.io',
    '"ada"@kre.io',
    'ada@kre..io',
    'dev@local.local',
    `${'a'.repeat(65)}@kre.io`,
    `ada@${'a'.repeat(250)}.io`,
  ])('have a real e-mail address, not %j', async (email) => {
    const [code, message] = await refused('createUser', { email, accessLevel: 'VIEWER' })
    expect(code).toBe('INVALID_ARGUMENT')
    expect(message.length).toBeLessThan(250)
  })

  test('are made once, and come back after a removal', async () => {
    await makeUser(api, 'ada@kre.io', { accessLevel: 'MANAGER' })
    expect(await run('createUser', { email: 'ADA@kre.io' })).toEqual([
      'ALREADY_EXISTS',
      'there is already a user with the same email',
    ])
    const ada = await bearerOf(api, 'ada@kre.io')
    expect(await run('removeUsers', named('ada@kre.io'))).toEqual([
      { id: 'ada@kre.io', accessLevel: 'MANAGER' },
    ])
    expect(await me(ada)).toBeNull()
    await makeUser(api, 'ada@kre.io')
    expect(await me(ada)).toBeNull()
    expect(await me(await bearerOf(api, 'ada@kre.io'))).toEqual({
      id: 'ada@kre.io',
      accessLevel: 'VIEWER',
      globalAccessLevel: null,
    })
  })

  test('are not changed without a comment, nor when one of them is not there', async () => {
    await makeUser(api, 'ada@kre.io')
    for (const [input, code] of [
      [{ ...named('ada@kre.io'), comment: ' ' }, 'INVALID_ARGUMENT'],
      [named('ada@kre.io', 'eve@kre.io'), 'NOT_FOUND'],
      [named(), 'INVALID_ARGUMENT'],
      [named(...Array.from({ length: 501 }, (_, i) => `u${i}@kre.io`)), 'INVALID_ARGUMENT'],
    ] as const)
      for (const field of ['removeUsers', 'updateAccessLevel', 'revokeUserSessions'])
        expect(
          await run(
            field,
            field === 'updateAccessLevel' ? { ...input, accessLevel: 'ADMIN' } : input,
          ),
        ).toEqual([code, expect.any(String)])
    const { data } = await api.graphql('{ users { id accessLevel } }', {}, admin)
    expect(data?.['users']).toContainEqual({ id: 'ada@kre.io', accessLevel: 'VIEWER' })
  })

  test('can’t change their own level or remove themselves', async () => {
    expect(
      await run('updateAccessLevel', { ...named('ADMIN@kre.io'), accessLevel: 'ADMIN' }),
    ).toEqual(['FAILED_PRECONDITION', 'you cannot change your access level'])
    expect(await run('updateGrants', { ...named('admin@kre.io'), grants: [] })).toEqual([
      'FAILED_PRECONDITION',
      'you cannot change your access level',
    ])
    expect(await run('removeUsers', named('admin@kre.io'))).toEqual([
      'FAILED_PRECONDITION',
      'you cannot remove yourself',
    ])
  })

  test('keep an administrator, whoever asks, and the owner of the development token', async () => {
    for (const input of [named('admin@kre.io')]) {
      expect(await run('removeUsers', input, api.asOwner)).toEqual([
        'FAILED_PRECONDITION',
        expect.stringContaining('no administrator would be left'),
      ])
      expect(
        await run('updateAccessLevel', { ...input, accessLevel: 'MANAGER' }, api.asOwner),
      ).toEqual(['FAILED_PRECONDITION', expect.stringContaining('no administrator would be left')])
    }
    for (const headers of [admin, api.asOwner])
      expect(
        await run(
          'updateAccessLevel',
          { ...named('dev@local.local'), accessLevel: 'VIEWER' },
          headers,
        ),
      ).toEqual(['FAILED_PRECONDITION', expect.any(String)])
    await makeUser(api, 'eve@kre.io', { accessLevel: 'ADMIN' })
    expect(await run('removeUsers', named('admin@kre.io', 'eve@kre.io'), api.asOwner)).toEqual([
      'FAILED_PRECONDITION',
      expect.stringContaining('no administrator would be left'),
    ])
    expect(await me(admin)).not.toBeNull()
  })

  test('who demote each other at once leave one of them', async () => {
    await makeUser(api, 'eve@kre.io', { accessLevel: 'ADMIN' })
    const eve = await bearerOf(api, 'eve@kre.io')
    const demote = (email: string, headers: Headers) =>
      run('updateAccessLevel', { ...named(email), accessLevel: 'VIEWER' }, headers)
    await Promise.all([demote('eve@kre.io', admin), demote('admin@kre.io', eve)])
    const users = await api.store.identity.users.list()
    const levels = users.map(({ accessLevel }) => accessLevel ?? 'none')
    expect(levels.toSorted()).toEqual(['ADMIN', 'VIEWER'])
  })

  test('keep a level that somebody else has given meanwhile', async () => {
    await makeUser(api, 'ada@kre.io', { accessLevel: 'MANAGER' })
    const level = (accessLevel: string | null, ifAccessLevel: string | null) =>
      run('updateAccessLevel', { ...named('ada@kre.io'), accessLevel, ifAccessLevel })
    for (const expected of ['VIEWER', null])
      expect(await level('ADMIN', expected)).toEqual([
        'ABORTED',
        `user "ada@kre.io" has the level MANAGER by now, where ${expected ?? 'none'} was expected: somebody was faster; look again and decide anew`,
      ])
    expect(await level(null, 'MANAGER')).not.toContain('ABORTED')
    expect(await level('VIEWER', null)).not.toContain('ABORTED')
    expect((await api.store.identity.users.find('ada@kre.io'))?.accessLevel).toBe('VIEWER')
  })

  test('lose a level by null, never by leaving it out', async () => {
    await makeUser(api, 'ada@kre.io', { accessLevel: 'MANAGER' })
    expect(await run('updateAccessLevel', named('ada@kre.io'))).toEqual([
      'INVALID_ARGUMENT',
      expect.stringContaining('accessLevel is missing'),
    ])
    await run('updateAccessLevel', { ...named('ada@kre.io'), accessLevel: null })
    expect(await me(await bearerOf(api, 'ada@kre.io'))).toMatchObject({ globalAccessLevel: null })
  })
})

describe('grants', () => {
  const grant = (runtimeId: string, accessLevel: string) => ({ runtimeId, accessLevel })

  test('of two who change them at once the second is told, and nothing is lost', async () => {
    for (const id of ['demo', 'other']) await api.createRuntime(id)
    await makeUser(api, 'ada@kre.io')
    const one = [grant('demo', 'MANAGER')]
    const other = [grant('other', 'VIEWER')]
    const change = (grants: object[], ifGrants: object[] | null) =>
      refused('updateGrants', { ...named('ada@kre.io'), grants, ifGrants })
    const outcomes = await Promise.all([change(one, []), change(other, [])])
    expect(outcomes.filter(([code]) => code === 'ABORTED')).toHaveLength(1)
    const isFirst = outcomes[1]?.[0] === 'ABORTED'
    expect(outcomes[isFirst ? 1 : 0]?.[1]).toContain(
      `has the grants ${isFirst ? 'demo=MANAGER' : 'other=VIEWER'} by now, where none was expected`,
    )
    const found = async () => (await api.store.identity.users.find('ada@kre.io'))?.grants
    expect(await found()).toEqual(isFirst ? one : other)
    // Who looks again and decides anew keeps both, in whatever order they are named.
    await change([...one, ...other], isFirst ? one : other)
    expect(await change([], [...other, ...one])).not.toContain('ABORTED')
    expect(await found()).toEqual([])
    expect(await change(one, null)).not.toContain('ABORTED')
    expect(await change(one, [grant('demo', 'ADMIN')])).toEqual([
      'INVALID_ARGUMENT',
      expect.stringContaining('ifGrants'),
    ])
  })

  test('add to the level, runtime by runtime', async () => {
    await api.createRuntime('demo')
    await api.createRuntime('other')
    await makeUser(api, 'ada@kre.io')
    const ada = await bearerOf(api, 'ada@kre.io')
    const sees = async () =>
      (await api.graphql('{ runtimes { id } }', {}, ada)).data?.['runtimes'] ?? null
    expect(await sees()).toEqual([])
    await run('updateGrants', { ...named('ada@kre.io'), grants: [grant('demo', 'MANAGER')] })
    expect(await sees()).toEqual([{ id: 'demo' }])
    await run('updateAccessLevel', { ...named('ada@kre.io'), accessLevel: 'VIEWER' })
    expect(await sees()).toEqual([{ id: 'demo' }, { id: 'other' }])
    const start = async (runtimeId: string) =>
      (
        await refused('startVersion', { runtimeId, versionName: 'v1', comment: 'c' }, ada, '{ id }')
      )[0]
    expect(await start('demo')).toBe('NOT_FOUND')
    expect(await start('other')).toBe('PERMISSION_DENIED')
    expect(await me(ada)).toMatchObject({ accessLevel: 'MANAGER', globalAccessLevel: 'VIEWER' })
  })

  test('are refused for what is not there, twice, and ADMIN', async () => {
    await api.createRuntime('demo')
    await makeUser(api, 'ada@kre.io')
    for (const [grants, code] of [
      [[grant('ghost', 'VIEWER')], 'NOT_FOUND'],
      [[grant('demo', 'ADMIN')], 'INVALID_ARGUMENT'],
      [[grant('demo', 'VIEWER'), grant('demo', 'MANAGER')], 'INVALID_ARGUMENT'],
    ] as const)
      expect(await run('updateGrants', { ...named('ada@kre.io'), grants })).toEqual([
        code,
        expect.any(String),
      ])
  })

  test('make a foreign runtime look like none at all', async () => {
    await api.createRuntime('demo')
    await makeUser(api, 'ada@kre.io')
    const ada = await bearerOf(api, 'ada@kre.io')
    const look = async (id: string) => {
      const { errors } = await api.graphql(`{ runtime(id: "${id}") { id } }`, {}, ada)
      const { requestId: _, ...extensions } = errors?.[0]?.extensions ?? {}
      const http = await api.send(`/api/v1/runtimes/${id}/versions/v1/bundle`, { headers: ada })
      const { requestId: __, ...body } = JSON.parse(http.text) as Record<string, unknown>
      return JSON.stringify([errors?.[0]?.message, extensions, http.status, body])
    }
    expect((await look('demo')).replaceAll('demo', 'ghost')).toBe(await look('ghost'))
  })
})

describe('a change of rights', () => {
  const watch = (headers: Headers) =>
    openEventStream(api.url, headers, 'subscription { watchVersion { id } }')

  test.each([
    [
      'a lower level',
      () => run('updateAccessLevel', { ...named('ada@kre.io'), accessLevel: null }),
    ],
    ['a removal', () => run('removeUsers', named('ada@kre.io'))],
    ['revoked logins', () => run('revokeUserSessions', named('ada@kre.io'))],
  ])('ends running streams: %s', async (_name, change) => {
    await makeUser(api, 'ada@kre.io', { accessLevel: 'MANAGER' })
    const stream = await watch(await bearerOf(api, 'ada@kre.io'))
    expect(stream.status).toBe(200)
    await change()
    await waitUntil('the end of the stream', stream.isEnded)
  })
})

describe('an upload', () => {
  test('of somebody who lost the right meanwhile makes no version', async () => {
    await api.createRuntime('demo')
    await makeUser(api, 'ada@kre.io', { accessLevel: 'MANAGER' })
    const headers = await bearerOf(api, 'ada@kre.io')
    const req = request(new URL('/api/v1/runtimes/demo/versions', api.url), {
      method: 'PUT',
      headers,
    })
    const status = new Promise<number | undefined>((resolve, reject) => {
      req.on('response', (res) => resolve(res.resume().statusCode))
      req.on('error', reject)
    })
    req.write('{"version":')
    await waitUntil('the first bytes', async () => (await api.scratchFiles()).length === 1)
    await run('updateAccessLevel', { ...named('ada@kre.io'), accessLevel: 'VIEWER' })
    req.end('"v1"}')
    expect(await status).toBe(403)
    expect(await api.store.versions.list('demo')).toEqual([])
    expect(await api.scratchFiles()).toEqual([])
  })
})

describe('logins', () => {
  const logins = async (headers: Headers, of = 'me') => {
    const { data } = await api.graphql(
      `{ ${of} { id logins { id isCurrent method userAgent } } }`,
      {},
      headers,
    )
    return data?.[of] as unknown as { logins: { id: string; isCurrent: boolean }[] }
  }

  test('are listed for their user, and ended one by one', async () => {
    const cookie = await signInAs(api, 'admin@kre.io')
    const { logins: both } = await logins(admin)
    expect(both).toHaveLength(2)
    expect(both.filter(({ isCurrent }) => isCurrent)).toHaveLength(1)
    const other = both.find(({ isCurrent }) => !isCurrent)
    expect(await run('endLogin', { id: other?.id }, admin, '{ id isCurrent }')).toEqual({
      id: other?.id,
      isCurrent: false,
    })
    expect((await api.send('/', { headers: { cookie } })).status).toBe(401)
    expect((await logins(admin)).logins).toHaveLength(1)
  })

  test('of others are for administrators alone', async () => {
    await makeUser(api, 'ada@kre.io', { accessLevel: 'MANAGER' })
    const ada = await bearerOf(api, 'ada@kre.io')
    const [own] = (await logins(admin)).logins
    const [adas] = (await logins(ada)).logins
    const refusal = await refused('endLogin', { id: own?.id }, ada, '{ id }')
    expect(refusal[0]).toBe('NOT_FOUND')
    expect(refusal[1].replace(own?.id ?? '', 'ID')).toBe(
      (await refused('endLogin', { id: 'ID' }, ada, '{ id }'))[1],
    )
    expect(await me(admin)).not.toBeNull()
    expect(await run('endLogin', { id: adas?.id }, admin, '{ id }')).toEqual({ id: adas?.id })
    expect(await me(ada)).toBeNull()
  })

  test('that nobody uses end, also across a restart of the engine', async () => {
    const cookie = await signInAs(api, 'admin@kre.io')
    api.clock.offsetMs = 7 * HOUR_MS
    expect((await api.send('/', { headers: { cookie } })).status).toBe(200)
    api.clock.offsetMs = 14 * HOUR_MS
    expect((await logins({ cookie, 'x-kre-csrf': '1' })).logins).toHaveLength(1)
    api.clock.offsetMs = 23 * HOUR_MS
    expect((await api.send('/', { headers: { cookie } })).status).toBe(401)
    expect(await api.store.identity.logins.list('admin@kre.io', new Date())).toHaveLength(1)
  })
})

describe('settings', () => {
  const set = (input: Record<string, unknown>) =>
    api.graphql(
      'mutation ($input: SettingsInput!) { updateSettings(input: $input) { authAllowedDomains sessionLifetimeInDays } }',
      { input },
      admin,
    )

  test('have defaults, and change field by field', async () => {
    const { data } = await api.graphql(
      '{ settings { authAllowedDomains sessionLifetimeInDays } }',
      {},
      admin,
    )
    expect(data).toEqual({ settings: { authAllowedDomains: [], sessionLifetimeInDays: 30 } })
    expect((await set({ authAllowedDomains: ['KRE.io ', 'kre.io', 'a.example'] })).data).toEqual({
      updateSettings: { authAllowedDomains: ['kre.io', 'a.example'], sessionLifetimeInDays: 30 },
    })
    expect((await set({ sessionLifetimeInDays: 1 })).data).toMatchObject({
      updateSettings: { authAllowedDomains: ['kre.io', 'a.example'], sessionLifetimeInDays: 1 },
    })
  })

  test.each([
    { sessionLifetimeInDays: 0 },
    { sessionLifetimeInDays: -1 },
    { sessionLifetimeInDays: 3651 },
    { authAllowedDomains: ['@kre.io'] },
    { authAllowedDomains: [''] },
    { authAllowedDomains: ['*.kre.io'] },
    { authAllowedDomains: Array.from({ length: 201 }, (_, i) => `d${i}.io`) },
  ])('refuse %j', async (input) => {
    expect((await set(input)).errors?.[0]?.extensions['code']).toBe('INVALID_ARGUMENT')
    expect(await api.store.identity.settings.get()).toMatchObject({ authAllowedDomains: [] })
  })

  test('count for logins that begin after them', async () => {
    await set({ sessionLifetimeInDays: 1 })
    const path = '/api/v1/auth/login-link?user=admin@kre.io'
    const link = await api.send(path, { method: 'POST', headers: api.asOwner })
    const { url } = JSON.parse(link.text) as { url: string }
    const { headers } = await api.send(new URL(url).pathname, { method: 'POST' })
    expect(headers['set-cookie']?.[0]).toContain('Max-Age=86400')
    api.clock.offsetMs = 7 * HOUR_MS
    const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    for (const hours of [7, 14, 21]) {
      api.clock.offsetMs = hours * HOUR_MS
      expect((await api.send('/', { headers: { cookie } })).status).toBe(200)
    }
    api.clock.offsetMs = DAY_MS
    expect((await api.send('/', { headers: { cookie } })).status).toBe(401)
  })
})
