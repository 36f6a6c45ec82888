import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { activities, audited, varsOf, verifyAudit } from '../testing/audit-of.ts'
import { bearerOf, makeUser, newApiToken, signInAs, type Headers } from '../testing/people.ts'
import { SAMPLE_CALLS } from '../testing/sample-calls.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

const pepper = randomBytes(32)
let api: TestApi
let viewer: Headers

beforeAll(async () => {
  api = await startTestApi({ pepper })
  await api.createRuntime('demo')
  await api.upload({ version: 'v1', variables: ['KEY'] })
  await api.upload({ version: 'v2' })
  await makeUser(api, 'viewer@kre.io', { accessLevel: 'VIEWER' })
  viewer = await bearerOf(api, 'viewer@kre.io')
})
afterAll(() => api[Symbol.asyncDispose]())

const run = (field: string, type: string, input: object, selection = '{ id }', headers?: Headers) =>
  api.graphql(
    `mutation ($input: ${type}!) { ${field}(input: $input) ${selection} }`,
    { input },
    headers,
  )
const versionId = async (name: string) => (await api.store.versions.find('demo', name))?.id
const release = (published: string | null) => async () => {
  const current = await api.store.releases.current('demo')
  return current?.published === published
}

describe('an operation that is done', () => {
  test('has one record with who, where from, what and why', async () => {
    const headers = { ...api.asOwner, 'user-agent': 'krectl/1' }
    const rows = await audited(api, () =>
      run(
        'createRuntime',
        'CreateRuntimeInput',
        { id: 'shop', name: 'Shop', description: 'd' },
        '{ id }',
        headers,
      ),
    )
    expect(rows).toEqual([
      expect.objectContaining({
        type: 'CREATE_RUNTIME',
        user: { id: 'dev@local.local' },
        outcome: 'SUCCEEDED',
        errorCode: null,
        operation: 'Mutation.createRuntime',
        principal: 'OWNER',
        address: '127.0.0.1',
        userAgent: 'krectl/1',
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      }),
    ])
    expect(varsOf(rows[0])).toEqual({ RUNTIME_ID: 'shop', RUNTIME_NAME: 'Shop' })
  })

  test('on a version names it in the words of KRE', async () => {
    await run('updateVersionUserConfiguration', 'UpdateConfigurationInput', {
      runtimeId: 'demo',
      versionName: 'v1',
      configurationVariables: [{ key: 'KEY', value: 'v' }],
    })
    const rows = await audited(api, async () => {
      await api.operate('startVersion', 'v1', { comment: 'go' })
      await api.operate('startVersion', 'v2')
      await api.observe()
      await api.operate('publishVersion', 'v1', { comment: 'first' })
      await api.operate('publishVersion', 'v2', { comment: 'second' })
      await api.operate('unpublishVersion', 'v2')
      await api.operate('stopVersion', 'v2')
    })
    expect(rows.map(({ type, outcome }) => `${type} ${outcome}`)).toEqual([
      'STOP_VERSION SUCCEEDED',
      'UNPUBLISH_VERSION SUCCEEDED',
      'PUBLISH_VERSION SUCCEEDED',
      'PUBLISH_VERSION SUCCEEDED',
      'START_VERSION SUCCEEDED',
      'START_VERSION SUCCEEDED',
    ])
    expect(await release(null)()).toBe(true)
    expect(varsOf(rows[2])).toEqual({
      RUNTIME_ID: 'demo',
      VERSION_ID: await versionId('v2'),
      VERSION_NAME: 'v2',
      OLD_PUBLISHED_VERSION_ID: await versionId('v1'),
      OLD_PUBLISHED_VERSION_NAME: 'v1',
      COMMENT: 'second',
    })
    expect(varsOf(rows[3])).not.toHaveProperty('OLD_PUBLISHED_VERSION_ID')
    expect(varsOf(rows[5])).toMatchObject({ VERSION_NAME: 'v1', COMMENT: 'go' })
    expect(JSON.parse(rows[2]?.before ?? '')).toMatchObject({ published: 'v1' })
    expect(JSON.parse(rows[2]?.after ?? '')).toMatchObject({ published: 'v2' })
  })

  test('of uploading names the version that was made', async () => {
    const rows = await audited(api, () => api.upload({ version: 'v3' }))
    expect(rows).toHaveLength(1)
    expect(varsOf(rows[0])).toEqual({
      RUNTIME_ID: 'demo',
      VERSION_ID: await versionId('v3'),
      VERSION_NAME: 'v3',
    })
    expect(await activities(api, `(versionIds: ["${await versionId('v3')}"])`)).toEqual(rows)
  })

  test('on settings has a row for each that changed', async () => {
    const change = { sessionLifetimeInDays: 7, authAllowedDomains: ['kre.io'] }
    const rows = await audited(api, () =>
      run('updateSettings', 'SettingsInput', change, '{ sessionLifetimeInDays }'),
    )
    expect(rows.map(varsOf)).toEqual([
      { SETTING_NAME: 'authAllowedDomains', OLD_VALUE: '[]', NEW_VALUE: '[kre.io]' },
      { SETTING_NAME: 'sessionLifetimeInDays', OLD_VALUE: '30', NEW_VALUE: '7' },
    ])
    const same = await audited(api, () =>
      run('updateSettings', 'SettingsInput', change, '{ sessionLifetimeInDays }'),
    )
    expect(same).toHaveLength(1)
  })

  test('on users tells what they were and are', async () => {
    await makeUser(api, 'bob@kre.io', { accessLevel: 'VIEWER' })
    const input = { userIds: ['BOB@kre.io'], comment: 'promoted' }
    const rows = await audited(api, async () => {
      await run('updateAccessLevel', 'UpdateAccessLevelInput', { ...input, accessLevel: 'MANAGER' })
      await run('updateGrants', 'UpdateGrantsInput', { ...input, grants: [] })
      await run('revokeUserSessions', 'UsersInput', input)
      await run('removeUsers', 'UsersInput', input)
    })
    expect(rows.map(({ type, outcome }) => `${type} ${outcome}`)).toEqual([
      'REMOVE_USERS SUCCEEDED',
      'REVOKE_SESSIONS SUCCEEDED',
      'UPDATE_GRANTS SUCCEEDED',
      'UPDATE_ACCESS_LEVELS SUCCEEDED',
    ])
    expect(varsOf(rows[3])).toEqual({
      USER_IDS: 'bob@kre.io',
      USER_EMAILS: 'bob@kre.io',
      ACCESS_LEVEL: 'MANAGER',
      COMMENT: 'promoted',
    })
    expect(rows[3]?.before).toContain('VIEWER')
    expect(rows[3]?.after).toContain('MANAGER')
    expect(rows[0]?.after).toBe('{}')
  })

  test('by a login, an API token and a browser names the login, never what a header claims', async () => {
    await makeUser(api, 'ada@kre.io', { accessLevel: 'ADMIN' })
    const rows = await audited(api, async () => {
      const ada = await bearerOf(api, 'ada@kre.io')
      const token = await newApiToken(api, ada, { name: 'ci' })
      const claims = { ...token, 'x-forwarded-for': '6.6.6.6', 'x-user': 'eve@kre.io' }
      await run(
        'createRuntime',
        'CreateRuntimeInput',
        { id: 'byada', name: 'A', description: 'd' },
        '{ id }',
        claims,
      )
      await api.send('/api/v1/auth/logout', { method: 'POST', headers: ada })
    })
    expect(rows.map(({ type, user, principal }) => `${type} ${user.id} ${principal}`)).toEqual([
      'LOGOUT ada@kre.io LOGIN',
      'CREATE_RUNTIME ada@kre.io API_TOKEN',
      'GENERATE_API_TOKEN ada@kre.io LOGIN',
      'LOGIN ada@kre.io LOGIN',
      'CREATE_SIGN_IN_LINK dev@local.local OWNER',
    ])
    expect(varsOf(rows[2])).toEqual({ API_TOKEN_NAME: 'ci' })
    expect(varsOf(rows[3])).toEqual({ LOGIN_METHOD: 'link' })
    expect(new Set(rows.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']))
  })
})

describe('an operation that is refused', () => {
  test.each([
    ['by the rules of levels', 'stopVersion', { versionName: 'v1' }, 'permission-denied'],
    [
      'for a runtime that is not there',
      'stopVersion',
      { runtimeId: 'nope', versionName: 'v1' },
      'not-found',
    ],
    ['without a comment', 'stopVersion', { comment: ' ' }, 'invalid-argument'],
    ['in this state', 'publishVersion', { versionName: 'v3' }, 'failed-precondition'],
  ])('%s has one record that says why', async (_what, field, input, errorCode) => {
    const type = `${field[0]?.toUpperCase()}${field.slice(1)}Input`
    const full = { runtimeId: 'demo', versionName: 'v1', comment: 'c', ...input }
    const headers = errorCode === 'permission-denied' ? viewer : api.asOwner
    const rows = await audited(api, () => run(field, type, full, '{ id }', headers))
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({ outcome: 'REFUSED', errorCode })
    expect(varsOf(rows[0])).toMatchObject({ OUTCOME: 'REFUSED', ERROR_CODE: errorCode })
  })

  test('is denied also where a hidden runtime answers as if it were not there', async () => {
    await makeUser(api, 'eve@kre.io', { grants: [{ runtimeId: 'shop', accessLevel: 'MANAGER' }] })
    const eve = await bearerOf(api, 'eve@kre.io')
    const input = { runtimeId: 'demo', versionName: 'v1', comment: 'c' }
    await run('stopVersion', 'StopVersionInput', input, '{ id }', eve)
    const [record] = await api.store.audit.outcomes({ limit: 1 })
    expect(JSON.parse(record?.body ?? '')).toMatchObject({
      decision: 'denied',
      errorCode: 'not-found',
    })
  })

  test('is written down for uploads, too', async () => {
    const rows = await audited(api, async () => {
      await api.upload({
        version: 'v9',
        issues: [
          { code: 'X', level: 'error', message: 'm', file: '', line: 0, column: 0, path: '' },
        ],
      })
      await api.upload({ version: 'v9' }, 'demo', viewer)
      await api.upload({ version: 'v9' }, 'nope')
    })
    expect(rows.map(({ outcome, errorCode }) => `${outcome} ${errorCode}`)).toEqual([
      'REFUSED not-found',
      'REFUSED permission-denied',
      'REFUSED invalid-argument',
    ])
  })

  test('is a sign-in that fails; floods of them are not kept one by one', async () => {
    const rows = await audited(api, async () => {
      for (let attempt = 0; attempt < 15; attempt += 1)
        await api.send('/signin/nothing', { method: 'POST' })
    })
    // From the eleventh on the address is over its limit.
    expect(rows).toHaveLength(10)
    expect(rows[0]).toMatchObject({
      type: 'LOGIN',
      user: { id: 'anonymous' },
      principal: 'ANONYMOUS',
      outcome: 'REFUSED',
    })
    expect(await activities(api, '(userEmail: "anonymous")')).toEqual(rows)
  })

  test('is nothing where nobody is signed in, or the document is wrong: no operation began', async () => {
    const rows = await audited(api, async () => {
      await run('createRuntime', 'CreateRuntimeInput', { id: 'x' })
      await run(
        'createRuntime',
        'CreateRuntimeInput',
        { id: 'xyz', name: 'n', description: 'd' },
        '{ id }',
        {},
      )
    })
    expect(rows).toEqual([])
  })
})

describe('exactly one record', () => {
  const mutations = Object.entries(SAMPLE_CALLS).filter(([name]) => name.startsWith('Mutation.'))

  test.each(mutations)('is written for each call of %s, whoever calls', async (name, call) => {
    for (const headers of [api.asOwner, viewer]) {
      const before = (await api.store.audit.newest())?.seq ?? 0
      await call(api, headers)
      const links = await api.store.audit.read(before + 1, 10)
      expect(links.map(({ kind }) => kind)).toEqual(['intent', 'outcome'])
      expect(JSON.parse(links[1]?.body ?? '')).toMatchObject({ operation: name })
      expect(links[1]?.type).not.toBe('OTHER')
    }
  })

  test('is written for each mutation of one document, and for each of parallel ones', async () => {
    const created = (id: string) =>
      `${id}: createRuntime(input: { id: "${id}", name: "${id}", description: "d" }) { id }`
    const rows = await audited(api, async () => {
      await api.graphql(`mutation { ${created('one')} ${created('two')} }`)
      await Promise.all(
        Array.from({ length: 10 }, () => api.graphql(`mutation { ${created('par')} }`)),
      )
    })
    expect(rows.map(({ outcome }) => outcome).toSorted()).toEqual([
      ...Array<string>(9).fill('REFUSED'),
      ...Array<string>(3).fill('SUCCEEDED'),
    ])
  })

  test('is written for an upload in parts: when it is refused, or becomes a version', async () => {
    const tus = (headers: Headers) =>
      api.send('/api/v1/runtimes/demo/uploads', {
        method: 'POST',
        headers: { ...headers, 'tus-resumable': '1.0.0', 'upload-length': '5' },
      })
    const rows = await audited(api, async () => {
      expect((await tus(viewer)).status).toBe(403)
      expect((await tus(api.asOwner)).status).toBe(201)
    })
    expect(rows).toMatchObject([
      { type: 'CREATE_VERSION', outcome: 'REFUSED', user: { id: 'viewer@kre.io' } },
    ])
    expect(varsOf(rows[0])).toMatchObject({ RUNTIME_ID: 'demo' })
  })
})

describe('a record', () => {
  test('spells out what could forge lines or hide text', async () => {
    const comment = 'fine\r\n{"forged":true}\u001b[2J\u202E'
    const headers = { ...api.asOwner, 'user-agent': 'agent\tof a stranger' }
    const [row] = await audited(api, () =>
      run(
        'startVersion',
        'StartVersionInput',
        { runtimeId: 'demo', versionName: 'v3', comment },
        '{ id }',
        headers,
      ),
    )
    expect(row?.comment).toBe('fine\\u{d}\\u{a}{"forged":true}\\u{1b}[2J\\u{202e}')
    expect(row?.userAgent).toBe('agent\\u{9}of a stranger')
    const { text } = await api.send('/api/v1/audit/export', { headers: api.asOwner })
    const lines = text.trimEnd().split('\n')
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow()
    // Three lines fewer than links and head are there would be three swallowed records.
    const { links } = await verifyAudit(api, pepper)
    expect(lines).toHaveLength(links + 1)
  })

  test('holds no secret that came or went with its request', async () => {
    const canary = `canary-${randomBytes(16).toString('hex')}`
    const secrets = [canary]
    await run('updateVersionUserConfiguration', 'UpdateConfigurationInput', {
      runtimeId: 'demo',
      versionName: 'v1',
      configurationVariables: [{ key: 'KEY', value: canary }],
    })
    await run('updateVersionUserConfiguration', 'UpdateConfigurationInput', {
      runtimeId: 'demo',
      versionName: 'v1',
      configurationVariables: [{ key: 'NO_SUCH_KEY', value: canary }],
    })
    const cookie = await signInAs(api, 'ada@kre.io')
    const ada = { authorization: `Bearer ${cookie.split('=')[1]}` }
    const token = await newApiToken(api, ada, { name: 'canary' })
    secrets.push(cookie.split('=')[1] ?? '', token['authorization']?.slice('Bearer '.length) ?? '')
    await api.send('/api/v1/auth/token/signin', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiToken: secrets[2] }),
    })
    await api.send(`/signin/${canary}?code=${canary}`, {
      method: 'POST',
      body: `code=${canary}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    await api.send(`/api/v1/auth/logout?token=${canary}`, {
      method: 'POST',
      headers: { ...ada, cookie: `x=${canary}`, 'x-secret': canary },
    })
    secrets.push(api.asOwner.authorization.slice('Bearer '.length), pepper.toString('base64url'))
    const log = JSON.stringify(await api.store.audit.read(1, 1000))
    expect(log).toContain('\\"KEY\\":\\"<set>\\"')
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(20)
      for (const form of [
        secret,
        Buffer.from(secret).toString('base64'),
        Buffer.from(secret).toString('hex'),
      ])
        expect(log).not.toContain(form)
    }
  })

  test('stays small whatever was sent', async () => {
    const long = 'x'.repeat(100_000)
    await run('createRuntime', 'CreateRuntimeInput', { id: long, name: long, description: long })
    const many = Array.from({ length: 400 }, (_, n) => `${'u'.repeat(200)}${n}@kre.io`)
    await run('removeUsers', 'UsersInput', { userIds: many, comment: long })
    for (const { body, runtimeId } of await api.store.audit.read(1, 1000)) {
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(64 * 1024)
      expect(runtimeId?.length ?? 0).toBeLessThanOrEqual(100)
    }
  })
})

describe('when the log can not be written', () => {
  test('nothing is changed, and what was done before is written when it can be again', async () => {
    const database = new DatabaseSync(join(api.dataDir, 'audit.sqlite'))
    const refuse = (when: string) =>
      database.exec(
        `CREATE TRIGGER refuse BEFORE INSERT ON links WHEN ${when} BEGIN SELECT RAISE(FAIL, 'no'); END`,
      )
    try {
      refuse(`NEW.kind = 'outcome'`)
      const input = { id: 'early', name: 'Early', description: 'd' }
      const done = await run('createRuntime', 'CreateRuntimeInput', input)
      expect(done.errors).toBeUndefined()
      database.exec('DROP TRIGGER refuse')

      refuse('true')
      const refused = await run('createRuntime', 'CreateRuntimeInput', {
        ...input,
        id: 'late',
        name: 'Late',
      })
      expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'UNAVAILABLE' })
      expect(await api.store.runtimes.find('late')).toBeNull()
      expect((await api.upload({ version: 'v8' })).status).toBe(503)
      expect(await api.store.versions.find('demo', 'v8')).toBeNull()
      expect(await signInAs(api, 'ada@kre.io').catch(() => 'refused')).toBe('refused')
      database.exec('DROP TRIGGER refuse')

      const rows = await audited(api, () => api.operate('startVersion', 'nope'))
      expect(rows.map(({ operation }) => operation)).toEqual([
        'Mutation.startVersion',
        'Mutation.createRuntime',
      ])
      expect(varsOf(rows[1])).toMatchObject({ RUNTIME_ID: 'early' })
    } finally {
      database.exec('DROP TRIGGER IF EXISTS refuse')
      database.close()
    }
  })
})

test('the whole chain is genuine, with an intent and an outcome for everything', async () => {
  const verdict = await verifyAudit(api, pepper)
  expect(verdict).toMatchObject({ ok: true, problems: [], openIntents: 0 })
  expect(verdict.links % 2).toBe(0)
  const { data } = await api.graphql(
    '{ auditIntegrity { ok links openIntents firstBadSeq head { seq hash } problems { seq } } }',
  )
  expect(data?.['auditIntegrity']).toMatchObject({
    ok: true,
    links: verdict.links,
    firstBadSeq: null,
    head: verdict.head,
  })
})
