import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { bearerOf, makeUser } from '../testing/people.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi

beforeEach(async () => {
  api = await startTestApi()
  await api.createRuntime()
})
afterEach(() => api[Symbol.asyncDispose]())

const compare = (from: string, to: string, headers?: Record<string, string>) =>
  api.graphql(
    `query ($from: String!, $to: String!) {
      from: version(runtimeId: "demo", name: $from) { manifest }
      versionComparison(runtimeId: "demo", fromVersionName: $from, versionName: $to) {
        isSameBundle leftOut differences { area name change fields { name before after } } } }`,
    { from, to },
    headers,
  )

const configure = (versionName: string, key: string, value: string) =>
  api.graphql(
    'mutation ($input: UpdateConfigurationInput!) { updateVersionUserConfiguration(input: $input) { id } }',
    { input: { runtimeId: 'demo', versionName, configurationVariables: [{ key, value }] } },
  )

describe('versionComparison', () => {
  test('tells of keys and of values, and never a value', async () => {
    await api.upload({ version: 'v1', variables: ['SAME', 'OTHER'] })
    await configure('v1', 'SAME', 'secret-1')
    await configure('v1', 'OTHER', 'secret-2')
    // The new one takes both values over.
    await api.upload({ version: 'v2', variables: ['SAME', 'OTHER'], files: ['NEW'] })
    await configure('v2', 'OTHER', 'secret-3')
    const { data } = await compare('v1', 'v2')
    expect(data?.['versionComparison']).toEqual({
      isSameBundle: false,
      leftOut: 0,
      differences: [
        {
          area: 'CONFIGURATION',
          name: 'OTHER',
          change: 'CHANGED',
          fields: [
            {
              name: 'value',
              before: expect.stringMatching(/^[0-9a-f]{8}$/),
              after: expect.any(String),
            },
          ],
        },
        {
          area: 'CONFIGURATION',
          name: 'NEW',
          change: 'ADDED',
          fields: [{ name: 'kind', before: null, after: 'FILE' }],
        },
      ],
    })
    expect(JSON.stringify(data)).not.toContain('secret')
  })

  test('gives the manifest as text', async () => {
    await api.upload({ version: 'v1' })
    const { data } = await compare('v1', 'v1')
    expect(data).toMatchObject({
      from: { manifest: expect.stringMatching(/^krtVersion: v2\nversion: v1\n/) },
      versionComparison: { isSameBundle: true, differences: [] },
    })
  })

  test('says which version is not there, and nothing to those who see nothing', async () => {
    await api.upload({ version: 'v1' })
    const missing = await compare('v1', 'v2')
    expect(missing.errors?.[0]).toMatchObject({
      message: 'there is no version "v2" in runtime "demo"',
      extensions: { code: 'NOT_FOUND' },
    })
    await makeUser(api, 'other@kre.io')
    const foreign = await compare('v1', 'v1', await bearerOf(api, 'other@kre.io'))
    expect(foreign.data).toBeNull()
    expect(foreign.errors?.[0]?.extensions['code']).toBe('NOT_FOUND')
  })
})
