import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi

beforeEach(async () => {
  api = await startTestApi()
  await api.createRuntime()
  for (const version of ['v1', 'v2', 'v3']) {
    await api.upload({ version })
    await api.operate('startVersion', version)
  }
  await api.observe()
})
afterEach(() => api[Symbol.asyncDispose]())

async function situation() {
  const { data } = await api.graphql(
    '{ runtime(id: "demo") { publishedVersion { name } previousVersion { name status } } }',
  )
  return data?.['runtime'] as unknown as {
    publishedVersion: { name: string } | null
    previousVersion: { name: string; status: string } | null
  }
}

async function publish(version: string, ifPublished?: string | null) {
  const answer = await api.operate('publishVersion', version, { ifPublished })
  await api.observe()
  return answer
}

describe('the version published before', () => {
  test('is where a roll back leads, and from there back again', async () => {
    expect(await situation()).toEqual({ publishedVersion: null, previousVersion: null })
    await publish('v1')
    await publish('v2')
    expect(await situation()).toEqual({
      publishedVersion: { name: 'v2' },
      previousVersion: { name: 'v1', status: 'STARTED' },
    })
    await publish('v1')
    expect(await situation()).toMatchObject({ previousVersion: { name: 'v2' } })
  })

  test('may not run any more, and is not one that is gone', async () => {
    await publish('v1')
    await publish('v2')
    await api.operate('stopVersion', 'v1')
    await api.observe()
    expect(await situation()).toMatchObject({
      previousVersion: { name: 'v1', status: 'STOPPED' },
    })
    await api.operate('deleteVersion', 'v1')
    expect(await situation()).toMatchObject({ previousVersion: null })
    // Another version of the same name was never published.
    await api.upload({ version: 'v1', contents: 'new' })
    expect(await situation()).toMatchObject({ previousVersion: null })
  })
})

describe('publishing with a condition', () => {
  test('replaces what was looked at, and nothing else', async () => {
    expect((await publish('v1', '')).errors).toBeUndefined()
    expect((await publish('v2', 'v1')).errors).toBeUndefined()
    const late = await publish('v3', 'v1')
    expect(late.errors?.[0]).toMatchObject({
      message:
        'version "v2" is published by now, where "v1" was expected: somebody was faster; look at the runtime again and decide anew',
      extensions: { code: 'ABORTED', details: { reason: 'OTHER_PUBLISHED', published: 'v2' } },
    })
    expect((await publish('v3', '')).errors?.[0]?.message).toContain('where none was expected')
    await api.operate('unpublishVersion', 'v2')
    await api.observe()
    expect((await publish('v3', 'v2')).errors?.[0]?.message).toMatch(/^no version is published by/)
    expect(await situation()).toMatchObject({ publishedVersion: null })
  })

  test('of two people at once lets one through', async () => {
    await publish('v1')
    const answers = await Promise.all(['v2', 'v3'].map((version) => publish(version, 'v1')))
    expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(1)
  })

  test('asks nothing when it is left out or null', async () => {
    await publish('v1')
    expect((await publish('v2')).errors).toBeUndefined()
    expect((await publish('v3', null)).errors).toBeUndefined()
  })
})
