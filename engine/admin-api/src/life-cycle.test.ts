import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from './testing/start-test-api.ts'

let api: TestApi

beforeEach(async () => {
  api = await startTestApi()
  await api.createRuntime()
})
afterEach(() => api[Symbol.asyncDispose]())

const firstError = (answer: Awaited<ReturnType<TestApi['graphql']>>) => answer.errors?.[0]

describe('a version from upload to deletion', () => {
  test('goes through every status, and each release is numbered and explained', async () => {
    expect((await api.upload({ version: 'v1' })).status).toBe(201)
    expect(await api.statusOf()).toBe('CREATED')

    expect(await api.operate('startVersion')).toMatchObject({
      data: { startVersion: { name: 'v1', status: 'STARTING' } },
    })
    await api.observe()
    expect(await api.statusOf()).toBe('STARTED')

    await api.operate('publishVersion')
    await api.observe()
    expect(await api.statusOf()).toBe('PUBLISHED')

    await api.operate('unpublishVersion')
    await api.observe()
    expect(await api.statusOf()).toBe('STARTED')

    expect(await api.operate('stopVersion')).toMatchObject({
      data: { stopVersion: { status: 'STOPPING' } },
    })
    await api.observe()
    expect(await api.statusOf()).toBe('STOPPED')

    const history = await api.store.releases.history('demo', 10)
    expect(history.map(({ generation, cause }) => [generation, cause.operation])).toEqual([
      [4, 'stop'],
      [3, 'unpublish'],
      [2, 'publish'],
      [1, 'start'],
    ])
    expect(history[0]?.cause).toMatchObject({
      version: 'v1',
      by: 'dev@local.local',
      comment: 'for a test',
    })

    expect((await api.operate('deleteVersion')).errors).toBeUndefined()
    expect(await api.statusOf()).toBe('none')
    expect((await api.upload({ version: 'v1', contents: 'new' })).status).toBe(201)
  })

  test('is shown with everything that is known of it', async () => {
    const issue = { code: 'DOC_MISSING', level: 'warning', message: 'no docs', file: '' } as const
    const issues = [{ ...issue, line: 0, column: 0, path: '' }]
    await api.upload({ version: 'v1', issues })
    await api.operate('startVersion')
    await api.observe()
    await api.operate('publishVersion')
    await api.observe()
    const { data } = await api.graphql(`{
      runtime(id: "demo") { id name entrypointAddress creationAuthor { email } publishedVersion { name status } }
      version(name: "v1", runtimeId: "demo") {
        id krtVersion name runtimeId description status statusReason creationDate creationAuthor { id email accessLevel }
        publicationDate publicationAuthor { email } hasDoc errors digest entrypointAddress
        issues { code level message file line column path hint }
        config { completed vars { key } }
        workflows { id name entrypoint exitpoint nodes { id name status statusReason subscriptions inputs { fromNodeId channel durability isFused } replicas replicasReady restarts } }
      }
    }`)
    expect(data).toMatchObject({
      runtime: {
        name: 'Runtime demo',
        entrypointAddress: '127.0.0.1:7000',
        publishedVersion: { name: 'v1', status: 'PUBLISHED' },
      },
      version: {
        krtVersion: 'v2',
        runtimeId: 'demo',
        status: 'PUBLISHED',
        creationAuthor: { email: 'dev@local.local', accessLevel: 'ADMIN' },
        publicationDate: expect.stringMatching(/^\d{4}-.*Z$/),
        publicationAuthor: { email: 'dev@local.local' },
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        entrypointAddress: '127.0.0.1:7001',
        issues: [{ code: 'DOC_MISSING', level: 'warning', hint: null }],
        config: { completed: true, vars: [] },
        workflows: [
          {
            id: 'wf',
            exitpoint: 'b',
            nodes: [
              {
                id: 'wf.a',
                status: 'STARTED',
                subscriptions: ['entrypoint'],
                inputs: [
                  { fromNodeId: 'entrypoint', channel: null, durability: 'fast', isFused: false },
                ],
                replicasReady: 1,
              },
              { id: 'wf.b', status: 'STARTED', subscriptions: ['a'] },
            ],
          },
        ],
      },
    })
  })
})

describe('refusals of the life cycle', () => {
  const refused = async (operation: string, message: string, version = 'v1') => {
    const answer = await api.operate(operation, version)
    expect(firstError(answer)).toMatchObject({
      message,
      extensions: { code: 'FAILED_PRECONDITION', requestId: expect.any(String) },
    })
  }

  test('have KRE’s messages for a created version', async () => {
    await api.upload({ version: 'v1' })
    await refused('stopVersion', 'the version must be started before stopping')
    await refused('publishVersion', 'the version must be started before publishing')
    await refused('unpublishVersion', 'the version must be published before unpublishing')
  })

  test('have KRE’s messages for a started version', async () => {
    await api.upload({ version: 'v1' })
    await api.operate('startVersion')
    await refused('startVersion', 'the version must be stopped before starting')
    await api.observe()
    await refused('startVersion', 'the version must be stopped before starting')
    await refused('deleteVersion', 'the version must be stopped before deleting')
    await refused('unpublishVersion', 'the version must be published before unpublishing')
  })

  test('protect a published version', async () => {
    await api.upload({ version: 'v1' })
    await api.operate('startVersion')
    await api.observe()
    await api.operate('publishVersion')
    // Intent counts: the route may not be observed yet.
    await refused('stopVersion', 'the version must be unpublished before stopping')
    await api.observe()
    await refused('stopVersion', 'the version must be unpublished before stopping')
    await refused('deleteVersion', 'the version must be unpublished before deleting')
    await refused('publishVersion', 'the version must be started before publishing')
  })

  test('name nothing that is not there', async () => {
    for (const input of [{ runtimeId: 'none' }, { versionName: 'none' }, { versionName: '../x' }])
      expect(firstError(await api.operate('startVersion', 'v1', input))?.extensions['code']).toBe(
        'NOT_FOUND',
      )
  })

  test.each([
    ['', 'the comment is empty: say why you do this'],
    ['\u200b\u2060', 'the comment is empty: say why you do this'],
    [' \n\t', 'the comment is empty: say why you do this'],
    ['x'.repeat(501), 'the comment has 501 characters: use at most 500'],
  ])('demand a comment (%j)', async (comment, message) => {
    await api.upload({ version: 'v1' })
    const operations = ['startVersion', 'stopVersion', 'publishVersion', 'unpublishVersion']
    for (const operation of [...operations, 'deleteVersion'])
      expect(firstError(await api.operate(operation, 'v1', { comment }))).toMatchObject({
        message,
        extensions: { code: 'INVALID_ARGUMENT', details: { field: 'comment' } },
      })
  })

  test('take a comment of 500 characters, also of emojis', async () => {
    await api.upload({ version: 'v1' })
    const answer = await api.operate('startVersion', 'v1', { comment: `  ${'😀'.repeat(500)}  ` })
    expect(answer.errors).toBeUndefined()
  })
})

describe('publishing', () => {
  test('replaces the version published before, which goes on running', async () => {
    for (const version of ['v1', 'v2']) {
      await api.upload({ version })
      await api.operate('startVersion', version)
      await api.observe()
      await api.operate('publishVersion', version)
      await api.observe()
    }
    expect(await api.statusOf('v1')).toBe('STARTED')
    expect(await api.statusOf('v2')).toBe('PUBLISHED')
  })

  test('twice before it is routed writes one release', async () => {
    await api.upload({ version: 'v1' })
    await api.operate('startVersion')
    await api.observe()
    await api.operate('publishVersion')
    expect((await api.operate('publishVersion')).errors).toBeUndefined()
    expect((await api.store.releases.current('demo'))?.generation).toBe(2)
  })

  test('a broken published version can still be unpublished and then stopped', async () => {
    await api.upload({ version: 'v1' })
    await api.operate('startVersion')
    await api.observe()
    await api.operate('publishVersion')
    await api.observe({ states: { v1: 'backoff' }, restarts: 5, reason: 'it crashes' })
    expect(await api.statusOf()).toBe('ERROR')
    expect((await api.operate('unpublishVersion')).errors).toBeUndefined()
    expect((await api.operate('stopVersion')).errors).toBeUndefined()
  })
})

describe('a version in ERROR', () => {
  beforeEach(async () => {
    await api.upload({ version: 'v1' })
    await api.operate('startVersion')
    await api.observe({ failures: { v1: 'the image can’t be pulled' } })
  })

  test('says why', async () => {
    const { data } = await api.graphql(
      '{ version(name: "v1", runtimeId: "demo") { status statusReason errors } }',
    )
    expect(data).toMatchObject({
      version: {
        status: 'ERROR',
        statusReason: 'the image can’t be pulled',
        errors: ['the image can’t be pulled'],
      },
    })
  })

  test('can be started again, which rolls its processes', async () => {
    expect((await api.operate('startVersion')).errors).toBeUndefined()
    expect((await api.store.releases.current('demo'))?.running).toEqual([
      { version: 'v1', configGeneration: 1 },
    ])
  })

  test('can be deleted, which also takes it out of the release', async () => {
    expect((await api.operate('deleteVersion')).errors).toBeUndefined()
    expect((await api.store.releases.current('demo'))?.running).toEqual([])
  })
})

describe('many operations at once', () => {
  test('of one kind: one wins, the others are refused', async () => {
    await api.upload({ version: 'v1' })
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.operate('startVersion')))
    expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(1)
    expect((await api.store.releases.current('demo'))?.generation).toBe(1)
  })

  test('of different versions: all are in the release', async () => {
    const versions = ['v1', 'v2', 'v3', 'v4', 'v5']
    for (const version of versions) await api.upload({ version })
    await Promise.all(versions.map((version) => api.operate('startVersion', version)))
    const running = (await api.store.releases.current('demo'))?.running ?? []
    expect(running.map(({ version }) => version).toSorted()).toEqual(versions)
  })

  test('of another engine on the same store: the loser reads again', async () => {
    for (const version of ['v1', 'v2']) await api.upload({ version })
    const { releases } = api.store
    const append = releases.append.bind(releases)
    let interfered = false
    releases.append = async (release) => {
      if (!interfered) {
        interfered = true
        const cause = { ...release.cause, version: 'v2' }
        await append({ ...release, cause, running: [{ version: 'v2', configGeneration: 0 }] })
      }
      return append(release)
    }
    expect((await api.operate('startVersion')).errors).toBeUndefined()
    const current = await api.store.releases.current('demo')
    expect(current).toMatchObject({ generation: 2 })
    expect(current?.running.map(({ version }) => version)).toEqual(['v2', 'v1'])
  })
})

describe('runtimes', () => {
  const create = (id: string, name: string, description = 'd') =>
    api.graphql('mutation ($i: CreateRuntimeInput!) { createRuntime(input: $i) { id name } }', {
      i: { id, name, description },
    })

  test.each([
    ['ab', 'has 2 characters'],
    ['a'.repeat(16), 'has 16 characters'],
    ['1abc', 'begin with a letter'],
    ['Demo', 'is not legal'],
    ['a.b', 'is not legal'],
    ['a_b', 'is not legal'],
    ['a--b', 'is not legal'],
    ['abc-', 'is not legal'],
    ['../etc', 'is not legal'],
    ['abc\n', 'is not legal'],
    ['kre', 'is reserved'],
    ['admin', 'is reserved'],
    ['shop-data', 'which is reserved'],
  ])('refuse the id %j', async (id, message) => {
    const answer = await create(id, 'name')
    expect(firstError(answer)?.message).toContain(message)
    expect(firstError(answer)?.extensions).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: 'id' },
    })
  })

  test('refuse names and descriptions that are empty or too long', async () => {
    for (const [name, description, field] of [
      [' ', 'd', 'name'],
      ['n'.repeat(41), 'd', 'name'],
      ['n', ' ', 'description'],
      ['n', 'd'.repeat(501), 'description'],
    ] as const)
      expect(firstError(await create('fresh', name, description))?.extensions).toMatchObject({
        details: { field },
      })
    expect((await create('fresh', 'n'.repeat(40), 'd'.repeat(500))).errors).toBeUndefined()
    expect((await create('a-1', 'short id')).errors).toBeUndefined()
    expect((await create('a23456789012345', 'long id')).errors).toBeUndefined()
  })

  test('refuse an id or a name that is taken', async () => {
    expect(firstError(await create('demo', 'other'))).toMatchObject({
      message: expect.stringContaining('there is already a runtime with the same id'),
      extensions: { code: 'ALREADY_EXISTS' },
    })
    expect(firstError(await create('other', 'Runtime demo'))?.message).toContain(
      'there is already a runtime with the same name',
    )
  })

  test('are deleted with everything of theirs, once nothing runs', async () => {
    const remove = () =>
      api.graphql('mutation { deleteRuntime(input: {id: "demo", comment: "c"}) { id } }')
    await api.upload({ version: 'v1' })
    const [version] = await api.store.versions.list('demo')
    await api.operate('startVersion')
    expect(firstError(await remove())).toMatchObject({
      message: 'the runtime has running versions: stop "v1" first',
      extensions: { code: 'FAILED_PRECONDITION', details: { running: ['v1'] } },
    })
    await api.operate('stopVersion')
    await api.observe({ leaving: ['v1'] })
    expect(await api.statusOf()).toBe('STOPPING')
    expect(firstError(await remove())?.extensions['code']).toBe('FAILED_PRECONDITION')
    await api.observe()
    expect(await remove()).toMatchObject({ data: { deleteRuntime: { id: 'demo' } } })
    expect(
      firstError(await api.graphql('{ runtime(id: "demo") { id } }'))?.extensions,
    ).toMatchObject({ code: 'NOT_FOUND' })
    expect(await api.store.bundles.has(version?.bundleDigest ?? '')).toBe(false)
  })

  test('keep a bundle that another runtime uses', async () => {
    await api.createRuntime('other')
    await api.upload({ version: 'v1' })
    await api.upload({ version: 'v1' }, 'other')
    const [version] = await api.store.versions.list('demo')
    await api.graphql('mutation { deleteRuntime(input: {id: "demo", comment: "c"}) { id } }')
    expect(await api.store.bundles.has(version?.bundleDigest ?? '')).toBe(true)
  })
})
