import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { getIntrospectionQuery } from 'graphql'
import { bearerOf, makeUser } from '../testing/people.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi

beforeEach(async () => {
  api = await startTestApi()
  await api.createRuntime()
})
afterEach(() => api[Symbol.asyncDispose]())

const namesOf = (answer: { data?: Record<string, never> | null }, field: string, key = 'id') =>
  ((answer.data?.[field] ?? []) as Record<string, string>[]).map((item) => item[key])

describe('lists', () => {
  test('are whole, or pages that follow each other', async () => {
    for (const version of ['v1', 'v2', 'v3']) await api.upload({ version })
    const page = (args: string) => api.graphql(`{ versions(runtimeId: "demo"${args}) { id name } }`)
    expect(namesOf(await page(''), 'versions', 'name')).toEqual(['v3', 'v2', 'v1'])
    const first = await page(', limit: 2')
    expect(namesOf(first, 'versions', 'name')).toEqual(['v3', 'v2'])
    const cursor = namesOf(first, 'versions')[1]
    expect(namesOf(await page(`, limit: 2, cursor: "${cursor}"`), 'versions', 'name')).toEqual([
      'v1',
    ])
    expect(namesOf(await page(', cursor: "v1"'), 'versions')).toEqual([])
    for (const wrong of [', limit: 0', ', limit: -1', ', limit: 1001', ', cursor: "nope"'])
      expect((await page(wrong)).errors?.[0]?.extensions['code']).toBe('INVALID_ARGUMENT')
  })

  test('of runtimes and users have pages, too', async () => {
    await api.createRuntime('other')
    await makeUser(api, 'ada@kre.io')
    expect(namesOf(await api.graphql('{ runtimes(cursor: "demo") { id } }'), 'runtimes')).toEqual([
      'other',
    ])
    const users = await api.graphql('{ users(limit: 1, cursor: "dev@local.local") { id } }')
    expect(namesOf(users, 'users')).toEqual(['ada@kre.io'])
  })
})

describe('updateRuntime', () => {
  const update = (input: Record<string, unknown>) =>
    api.graphql(
      'mutation ($input: UpdateRuntimeInput!) { updateRuntime(input: $input) { id name description } }',
      { input },
    )

  test('changes what is named and leaves the rest', async () => {
    expect(await update({ id: 'demo', name: '  New name ' })).toMatchObject({
      data: { updateRuntime: { id: 'demo', name: 'New name', description: 'for tests' } },
    })
    const { data } = await api.graphql('{ userActivityList { type vars { key value } } }')
    expect(((data?.['userActivityList'] ?? []) as object[])[0]).toEqual({
      type: 'UPDATE_RUNTIME',
      vars: [
        { key: 'RUNTIME_ID', value: 'demo' },
        { key: 'RUNTIME_NAME', value: 'New name' },
      ],
    })
  })

  test.each([
    [{ id: 'demo', name: ' ' }, 'INVALID_ARGUMENT'],
    [{ id: 'demo', description: 'd'.repeat(501) }, 'INVALID_ARGUMENT'],
    [{ id: 'nope', name: 'x' }, 'NOT_FOUND'],
    [{ id: 'demo', name: 'Runtime other' }, 'ALREADY_EXISTS'],
  ])('refuses %j', async (input, code) => {
    await api.createRuntime('other')
    expect((await update(input)).errors?.[0]?.extensions['code']).toBe(code)
    expect((await api.store.runtimes.find('demo'))?.name).toBe('Runtime demo')
  })
})

describe('restartVersion', () => {
  test('starts a version in ERROR anew, and no other', async () => {
    await api.upload({ version: 'v1' })
    const early = await api.operate('restartVersion')
    expect(early.errors?.[0]?.message).toBe('the version must be in error before restarting')
    await api.operate('startVersion')
    await api.observe({ states: { v1: 'backoff' }, restarts: 5, reason: 'it crashes' })
    expect(await api.statusOf()).toBe('ERROR')
    const before = await api.store.releases.current('demo')
    expect((await api.operate('restartVersion')).errors).toBeUndefined()
    const after = await api.store.releases.current('demo')
    expect(after?.running[0]?.configGeneration).toBeGreaterThan(
      before?.running[0]?.configGeneration ?? 0,
    )
  })
})

describe('dates', () => {
  test('are the strings they always were', async () => {
    const { data } = await api.graphql('{ runtime(id: "demo") { creationDate } }')
    const { creationDate } = (data?.['runtime'] ?? {}) as { creationDate: string }
    expect(new Date(creationDate).toISOString()).toBe(creationDate)
  })
})

describe('introspection', () => {
  test('is for those who have a level somewhere', async () => {
    await makeUser(api, 'view@kre.io', { accessLevel: 'VIEWER' })
    await makeUser(api, 'nobody@kre.io')
    const ask = async (email: string) =>
      api.graphql(getIntrospectionQuery(), {}, await bearerOf(api, email))
    expect((await ask('view@kre.io')).errors).toBeUndefined()
    expect((await ask('nobody@kre.io')).errors?.[0]?.message).toContain('introspection')
    expect(
      (await api.graphql('{ me { id } }', {}, await bearerOf(api, 'nobody@kre.io'))).data,
    ).toEqual({ me: { id: 'nobody@kre.io' } })
  })
})
