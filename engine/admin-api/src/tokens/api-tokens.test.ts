import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { DAY_MS } from '@kre/contracts'
import { bearerOf, makeUser, newApiToken, type Headers } from '../testing/people.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { apiTokenId, createApiToken } from './api-token-text.ts'

let api: TestApi
let ada: Headers

beforeEach(async () => {
  api = await startTestApi()
  await api.createRuntime('demo')
  await api.createRuntime('shop')
  await makeUser(api, 'ada@kre.io', { accessLevel: 'MANAGER' })
  ada = await bearerOf(api, 'ada@kre.io')
})
afterEach(() => api[Symbol.asyncDispose]())

const ask = async (headers: Headers, document = '{ runtimes { id } }') => {
  const { status, data, errors } = await api.graphql(document, {}, headers)
  return errors?.[0]?.extensions['code'] ?? data ?? status
}
const generate = async (input: Record<string, unknown>, headers = ada) => {
  const { errors } = await api.graphql(
    'mutation ($input: GenerateApiTokenInput!) { generateApiToken(input: $input) }',
    { input },
    headers,
  )
  return [errors?.[0]?.extensions['code'], errors?.[0]?.message]
}
const tokens = async (headers = ada) => {
  const { data } = await api.graphql(
    '{ me { apiTokens { id name lastActivity expirationDate scope runtimeIds } } }',
    {},
    headers,
  )
  const me = data?.['me'] as unknown as { apiTokens: { id: string }[] } | undefined
  return me?.apiTokens ?? []
}
const exchange = async (apiToken: unknown) => {
  const { status, text } = await api.send('/api/v1/auth/token/signin', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiToken }),
  })
  return { status, body: JSON.parse(text) as Record<string, string> }
}

describe('the text of an API token', () => {
  test('has its id, its secret and a checksum', () => {
    const { id, token } = createApiToken()
    expect(token).toMatch(/^krt_[0-9a-f]{12}_[A-Za-z0-9_-]{43}_[0-9a-f]{8}$/)
    expect(apiTokenId(token)).toBe(id)
    for (const at of [4, 20, 59, token.length - 1]) {
      const other = token[at] === 'a' ? 'b' : 'a'
      expect(apiTokenId(token.slice(0, at) + other + token.slice(at + 1))).toBeNull()
    }
    expect(apiTokenId(`${token} `)).toBeNull()
    expect(apiTokenId('')).toBeNull()
  })
})

describe('an API token', () => {
  test('does what its owner may, and is listed without its secret', async () => {
    const token = await newApiToken(api, ada, { name: 'ci' })
    expect(await ask(token)).toEqual({ runtimes: [{ id: 'demo' }, { id: 'shop' }] })
    const date = expect.stringMatching(/^20.*Z$/)
    const listed = await tokens()
    expect(listed).toEqual([
      {
        id: token['authorization']?.slice(11, 23),
        name: 'ci',
        lastActivity: date,
        expirationDate: date,
        scope: 'FULL',
        runtimeIds: null,
      },
    ])
    await api.graphql(
      'mutation ($i: UpdateAccessLevelInput!) { updateAccessLevel(input: $i) { id } }',
      { i: { userIds: ['ada@kre.io'], comment: 'c', accessLevel: null } },
    )
    expect(await ask(token)).toEqual({ runtimes: [] })
  })

  test('is neither stored nor logged', async () => {
    const token = await newApiToken(api, ada, { name: 'ci' })
    await ask(token)
    const secret = token['authorization']?.slice(7) ?? ''
    const names = (await readdir(api.dataDir)).filter((name) => name.startsWith('kre.sqlite'))
    const files = await Promise.all(
      names.map((name) => readFile(join(api.dataDir, name), 'latin1')),
    )
    const everything = files.join('') + api.logLines.join('')
    expect(everything).toContain(secret.slice(4, 16))
    expect(everything).not.toContain(secret.slice(17, 60))
  })

  test('can be narrowed to reading and to runtimes', async () => {
    const read = await newApiToken(api, ada, { name: 'read', scope: 'READ' })
    expect(await ask(read)).toEqual({ runtimes: [{ id: 'demo' }, { id: 'shop' }] })
    const create =
      'mutation { createRuntime(input: {id: "new", name: "n", description: "d"}) { id } }'
    expect(await ask(read, create)).toBe('PERMISSION_DENIED')
    const demo = await newApiToken(api, ada, { name: 'demo', runtimeIds: ['demo', 'demo'] })
    expect(await ask(demo)).toEqual({ runtimes: [{ id: 'demo' }] })
    expect(await ask(demo, '{ versions(runtimeId: "shop") { id } }')).toBe('NOT_FOUND')
    expect(await ask(demo, create)).toBe('PERMISSION_DENIED')
  })

  test('ends with its time, its deletion, and its owner', async () => {
    const short = await newApiToken(api, ada, { name: 'short', expiresInDays: 1 })
    const long = await newApiToken(api, ada, { name: 'long' })
    api.clock.offsetMs = DAY_MS
    ada = await bearerOf(api, 'ada@kre.io')
    expect([await ask(short), await ask(long)]).toEqual([401, expect.any(Object)])
    const [, { id } = { id: '' }] = await tokens()
    const remove = (headers: Headers) =>
      ask(headers, `mutation { deleteApiToken(input: {id: "${id}"}) { name } }`)
    await makeUser(api, 'eve@kre.io', { accessLevel: 'MANAGER' })
    expect(await remove(await bearerOf(api, 'eve@kre.io'))).toBe('NOT_FOUND')
    expect(await remove(ada)).toEqual({ deleteApiToken: { name: 'long' } })
    expect(await ask(long)).toBe(401)
    const last = await newApiToken(api, ada, { name: 'last' })
    await ask(
      api.asOwner,
      'mutation { removeUsers(input: {userIds: ["ada@kre.io"], comment: "c"}) { id } }',
    )
    expect(await ask(last)).toBe(401)
  })

  test('has a name of its own, a life of a year at most, and runtimes that its owner sees', async () => {
    await generate({ name: 'ci' })
    expect(await generate({ name: ' ci ' })).toEqual([
      'ALREADY_EXISTS',
      'API Token name duplicated',
    ])
    for (const input of [
      { name: ' ' },
      { name: 'x'.repeat(101) },
      { name: 'a', expiresInDays: 0 },
      { name: 'a', expiresInDays: 366 },
      { name: 'a', runtimeIds: [] },
    ])
      expect((await generate(input))[0]).toBe('INVALID_ARGUMENT')
    expect(await generate({ name: 'a', runtimeIds: ['demo', 'ghost'] })).toEqual([
      'NOT_FOUND',
      'there is no runtime "ghost"',
    ])
    expect(await tokens()).toHaveLength(1)
  })

  test('can’t make or delete tokens, however full it is', async () => {
    const full = await newApiToken(api, ada, { name: 'full' })
    expect((await generate({ name: 'more' }, full))[0]).toBe('PERMISSION_DENIED')
    const { body } = await exchange(full['authorization']?.slice(7))
    const login = { authorization: `Bearer ${body['access_token']}` }
    expect((await generate({ name: 'more' }, login))[0]).toBe('PERMISSION_DENIED')
    expect(await tokens()).toHaveLength(1)
  })
})

describe('POST /api/v1/auth/token/signin', () => {
  test('gives a login with the rights of the token, which ends with it', async () => {
    const read = await newApiToken(api, ada, { name: 'read', scope: 'READ', runtimeIds: ['demo'] })
    const { status, body } = await exchange(read['authorization']?.slice(7))
    expect([status, Object.keys(body)]).toEqual([200, ['access_token']])
    const login = { authorization: `Bearer ${body['access_token']}` }
    expect(await ask(login)).toEqual({ runtimes: [{ id: 'demo' }] })
    const [{ id } = { id: '' }] = await tokens()
    await ask(ada, `mutation { deleteApiToken(input: {id: "${id}"}) { id } }`)
    expect(await ask(login)).toBe(401)
  })

  test('takes a form as well', async () => {
    const read = await newApiToken(api, ada, { name: 'read' })
    const { status } = await api.send('/api/v1/auth/token/signin', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ apiToken: read['authorization']?.slice(7) ?? '' }).toString(),
    })
    expect(status).toBe(200)
  })

  test('refuses wrong tokens, and too many of them', async () => {
    expect(await exchange(5)).toMatchObject({
      status: 400,
      body: { code: 'validation_error', message: 'Invalid data', errors: [{ field: 'apiToken' }] },
    })
    for (let i = 0; i < 10; i += 1)
      expect(await exchange(createApiToken().token)).toMatchObject({
        status: 401,
        body: { code: 'unauthorized' },
      })
    expect(await exchange('x')).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } })
  })
})
