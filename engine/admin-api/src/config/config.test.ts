import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi

beforeEach(async () => {
  api = await startTestApi()
  await api.createRuntime()
})
afterEach(() => api[Symbol.asyncDispose]())

const bundle = { version: 'v1', variables: ['TOKEN', 'MODE'], files: ['MODEL'] }

const set = (variables: Record<string, string>, versionName = 'v1') =>
  api.graphql(
    `mutation ($input: UpdateConfigurationInput!) {
      updateVersionUserConfiguration(input: $input) { status config { completed vars { key isSet } } } }`,
    {
      input: {
        runtimeId: 'demo',
        versionName,
        configurationVariables: Object.entries(variables).map(([key, value]) => ({ key, value })),
      },
    },
  )
const facts = { updatedAt: expect.any(String), fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/) }
const configOf = async (name = 'v1') =>
  (
    await api.graphql(
      `query ($name: String!) { version(name: $name, runtimeId: "demo") {
        config { completed generation vars { key value type isSet updatedAt fingerprint } } } }`,
      { name },
    )
  ).data?.['version']

describe('configuration', () => {
  test('lists files before variables, says what is set and never a value', async () => {
    await api.upload(bundle)
    expect((await set({ TOKEN: 'CANARY-1', MODEL: 'CANARY-2' })).errors).toBeUndefined()
    expect(await configOf()).toEqual({
      config: {
        completed: false,
        generation: 1,
        vars: [
          { key: 'MODEL', value: '', type: 'FILE', isSet: true, ...facts },
          { key: 'TOKEN', value: '', type: 'VARIABLE', isSet: true, ...facts },
          {
            key: 'MODE',
            value: '',
            type: 'VARIABLE',
            isSet: false,
            updatedAt: null,
            fingerprint: null,
          },
        ],
      },
    })
    expect(api.logLines.join('')).not.toContain('CANARY')
  })

  test('is demanded before start, with the names of the missing keys', async () => {
    await api.upload(bundle)
    await set({ TOKEN: 't' })
    expect((await api.operate('startVersion')).errors?.[0]).toMatchObject({
      message: 'version config is incomplete: set a value for "MODEL", "MODE"',
      extensions: { code: 'FAILED_PRECONDITION', details: { missing: ['MODEL', 'MODE'] } },
    })
    await set({ MODE: 'm', MODEL: 'f' })
    expect((await api.operate('startVersion')).errors).toBeUndefined()
  })

  test.each([
    [[{ key: 'OTHER', value: 'CANARY' }], 'version config contains an unknown key: "OTHER"'],
    [[{ key: '__proto__', value: 'CANARY' }], 'version config contains an unknown key'],
    [
      [
        { key: 'MODE', value: 'CANARY' },
        { key: 'MODE', value: 'CANARY' },
      ],
      'the key "MODE" is given twice',
    ],
    [[{ key: 'MODE', value: 'CANARY\0' }], 'contains a NUL character'],
    [[{ key: 'MODE', value: 'CANARY'.padEnd(131_073) }], 'has 131073 bytes'],
  ])('refuses what can’t be stored (%#) and keeps what was there', async (variables, message) => {
    await api.upload(bundle)
    const { errors } = await api.graphql(
      `mutation ($v: [ConfigurationVariablesInput!]!) { updateVersionUserConfiguration(
        input: { runtimeId: "demo", versionName: "v1", configurationVariables: $v }) { name } }`,
      { v: [{ key: 'TOKEN', value: 'good' }, ...variables] },
    )
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining(message),
      extensions: { code: 'INVALID_ARGUMENT' },
    })
    expect(JSON.stringify(errors)).not.toContain('CANARY')
    expect(await api.store.config.get('demo', 'v1')).toEqual([])
  })

  test('rolls a running version by a new release, and can’t make it incomplete', async () => {
    await api.upload({ version: 'v1', variables: ['MODE'] })
    await set({ MODE: 'one' })
    await api.operate('startVersion')
    await api.observe()
    const before = (await api.store.releases.current('demo'))?.running[0]?.configGeneration ?? 0
    expect((await set({ MODE: '' })).errors?.[0]?.message).toBe(
      "config can't be incomplete for started version",
    )
    expect((await set({ MODE: 'two' })).errors).toBeUndefined()
    const release = await api.store.releases.current('demo')
    expect(release).toMatchObject({ generation: 2, cause: { operation: 'configure' } })
    expect(release?.running[0]?.configGeneration).toBeGreaterThan(before)
    expect(await api.store.config.get('demo', 'v1')).toMatchObject([{ key: 'MODE', value: 'two' }])
  })

  test('of a version that does not run writes no release, and an empty value unsets its key', async () => {
    await api.upload(bundle)
    await set({ MODE: 'one' })
    await set({ MODE: '' })
    expect(await configOf()).toMatchObject({
      config: {
        vars: expect.arrayContaining([expect.objectContaining({ key: 'MODE', isSet: false })]),
      },
    })
    expect(await api.store.releases.current('demo')).toBeNull()
  })

  test('is refused to who has not seen the last change, also when the version runs', async () => {
    await api.upload({ version: 'v1', variables: ['MODE'] })
    await set({ MODE: 'one' })
    await api.operate('startVersion')
    await api.observe()
    const setIf = (value: string, ifGeneration: number) =>
      api.graphql(
        `mutation ($input: UpdateConfigurationInput!) {
          updateVersionUserConfiguration(input: $input) { config { generation } } }`,
        {
          input: {
            runtimeId: 'demo',
            versionName: 'v1',
            configurationVariables: [{ key: 'MODE', value }],
            ifGeneration,
          },
        },
      )
    const results = await Promise.all(['ada', 'eve', 'joe'].map((value) => setIf(value, 1)))
    const refused = results.filter(({ errors }) => errors !== undefined)
    expect(refused).toHaveLength(2)
    expect(refused[0]?.errors?.[0]).toMatchObject({
      message: expect.stringContaining('was changed meanwhile'),
      extensions: { code: 'ABORTED', details: { expected: 1, inForce: 2 } },
    })
    const winner = ['ada', 'eve', 'joe'][results.findIndex(({ errors }) => errors === undefined)]
    expect(await api.store.config.get('demo', 'v1')).toMatchObject([{ value: winner }])
    // The refused ones changed nothing, so they roll nothing.
    expect((await api.store.releases.current('demo'))?.generation).toBe(2)
    expect((await setIf('late', 0)).errors).toHaveLength(1)
    expect((await setIf('next', 2)).errors).toBeUndefined()
  })

  test('of two keys that two people set at once keeps both', async () => {
    await api.upload(bundle)
    await Promise.all([set({ TOKEN: 'of ada' }), set({ MODE: 'of eve' }), set({ MODEL: 'of joe' })])
    const entries = await api.store.config.get('demo', 'v1')
    expect(entries.map(({ value }) => value).toSorted()).toEqual(['of ada', 'of eve', 'of joe'])
  })

  test('has fingerprints that tell values of a key apart, in all versions of the runtime', async () => {
    await api.upload(bundle)
    await set({ TOKEN: 'same', MODE: 'same', MODEL: 'same' })
    await api.upload({ ...bundle, version: 'v2' })
    const of = async (name: string) => {
      const { config } = (await configOf(name)) as unknown as {
        config: { vars: { key: string; fingerprint: string }[] }
      }
      return Object.fromEntries(config.vars.map(({ key, fingerprint }) => [key, fingerprint]))
    }
    const first = await of('v1')
    expect(await of('v2')).toEqual(first)
    // Equal values of different keys don't show that they are equal.
    expect(new Set(Object.values(first)).size).toBe(3)
    await set({ TOKEN: 'other' }, 'v2')
    const second = await of('v2')
    expect(second).toMatchObject({ MODE: first['MODE'], MODEL: first['MODEL'] })
    expect(second['TOKEN']).not.toBe(first['TOKEN'])
  })

  test('is taken over from the newest earlier version that has a value of the same name and type', async () => {
    await api.upload({ version: 'v1', variables: ['MODE', 'TOKEN'], files: ['MODEL'] })
    await set({ MODE: 'from v1', TOKEN: 'from v1', MODEL: 'from v1' })
    await api.upload({ version: 'v2', variables: ['MODE'] })
    await set({ MODE: 'from v2' }, 'v2')
    await api.upload({ version: 'v3', variables: ['MODE'] })
    await set({ MODE: '' }, 'v3')
    // MODEL changed its type, so its value is another thing.
    await api.upload({ version: 'v4', variables: ['MODE', 'TOKEN', 'MODEL'] })
    const entries = await api.store.config.get('demo', 'v4')
    expect(Object.fromEntries(entries.map(({ key, value }) => [key, value]))).toEqual({
      MODE: 'from v2',
      TOKEN: 'from v1',
    })
  })
})

describe('the comparison of values', () => {
  const differing = (values: Record<string, string>, headers?: Record<string, string>) =>
    api.graphql(
      `query ($values: [ConfigurationVariablesInput!]!) {
        configurationDifferences(runtimeId: "demo", versionName: "v1", configurationVariables: $values) }`,
      { values: Object.entries(values).map(([key, value]) => ({ key, value })) },
      ...(headers === undefined ? [] : [headers]),
    )

  test('names the keys whose value is another one, and no value', async () => {
    await api.upload(bundle)
    await set({ TOKEN: 'CANARY-1', MODEL: 'CANARY-2' })
    const { data } = await differing({ TOKEN: 'CANARY-1', MODEL: 'CANARY-3', MODE: 'CANARY-4' })
    expect(data).toEqual({ configurationDifferences: ['MODEL', 'MODE'] })
    // A key without a value is as one that is set to nothing.
    expect((await differing({ MODE: '' })).data).toEqual({ configurationDifferences: [] })
    expect(api.logLines.join('')).not.toContain('CANARY')
  })

  test('refuses keys that the version does not declare, and changes nothing', async () => {
    await api.upload(bundle)
    const { errors } = await differing({ OTHER: 'CANARY-5' })
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'INVALID_ARGUMENT' } })
    expect(JSON.stringify(errors)).not.toContain('CANARY')
    expect(await configOf()).toMatchObject({ config: { generation: 0 } })
  })
})
