import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { EngineEvent, EventBus, LogRecord } from '@kre/contracts'
import { createEventBus, waitUntil } from '@kre/service-kit'
import { openEventStream, type EventStream } from '../testing/event-stream.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi
let listeners = 0
/** Of the API itself, whatever is subscribed to. */
let idle = 0
const streams: EventStream[] = []

/** The real bus, with its listeners counted. */
function countingBus(): EventBus {
  const bus = createEventBus((error) => {
    throw error
  })
  return {
    publish: (event) => bus.publish(event),
    subscribe(listener: (event: EngineEvent) => void) {
      listeners += 1
      const unsubscribe = bus.subscribe(listener)
      let subscribed = true
      return () => {
        if (subscribed) listeners -= 1
        subscribed = false
        unsubscribe()
      }
    },
  }
}

beforeEach(async () => {
  listeners = 0
  const events = countingBus()
  api = await startTestApi({ events })
  Object.assign(api, { events })
  await api.createRuntime()
  await api.upload({ version: 'v1' })
  idle = listeners
})
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close()
  await api[Symbol.asyncDispose]()
})

const open = async (
  query: string,
  variables: Record<string, unknown> = {},
  headers: Record<string, string> = api.asOwner,
) => {
  const stream = await openEventStream(api.url, headers, query, variables)
  streams.push(stream)
  return stream
}
const observe = async (observation = {}) => {
  await api.observe(observation)
  api.events.publish({ type: 'placement.observed', runtimeId: 'demo' })
}

describe('watchVersion', () => {
  const watch = 'subscription { watchVersion { name status } }'
  const statuses = (stream: EventStream) =>
    stream.events.map(({ data }) => {
      const version = data?.['watchVersion'] as unknown as { name: string; status: string }
      return `${version.name} ${version.status}`
    })

  test('tells each change once, from the moment the answer begins', async () => {
    const stream = await open(watch)
    await api.operate('startVersion')
    await stream.received(1)
    await observe()
    await stream.received(2)
    // The same again is no change.
    await observe()
    await api.operate('publishVersion')
    await stream.received(3)
    await observe()
    await stream.received(4)
    expect(statuses(stream)).toEqual([
      'v1 STARTING',
      'v1 STARTED',
      expect.stringMatching(/^v1 (STARTED|PUBLISHED)$/),
      'v1 PUBLISHED',
    ])
  })

  test('tells new versions, also of runtimes that are created later', async () => {
    const stream = await open(watch)
    await api.createRuntime('later')
    await api.upload({ version: 'v9' }, 'later')
    await stream.received(1)
    expect(statuses(stream)).toEqual(['v9 CREATED'])
  })

  test('can be narrowed to a runtime', async () => {
    await api.createRuntime('other')
    const stream = await open('subscription { watchVersion(runtimeId: "demo") { name status } }')
    await api.upload({ version: 'v9' }, 'other')
    await api.operate('startVersion')
    await stream.received(1)
    expect(statuses(stream)).toEqual(['v1 STARTING'])
    const none = await open('subscription { watchVersion(runtimeId: "none") { name } }')
    await none.received(1)
    expect(none.events[0]?.errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('watchNodeStatus', () => {
  test('tells the nodes that changed', async () => {
    const stream = await open(
      'subscription { watchNodeStatus(versionName: "v1", runtimeId: "demo") { id status statusReason } }',
    )
    await api.operate('startVersion')
    await stream.received(2)
    await observe({ states: { v1: 'backoff' }, restarts: 3, reason: 'it crashes' })
    await stream.received(4)
    expect(stream.events.map(({ data }) => data?.['watchNodeStatus'])).toEqual([
      { id: 'wf.a', status: 'STARTING', statusReason: '' },
      { id: 'wf.b', status: 'STARTING', statusReason: '' },
      { id: 'wf.a', status: 'ERROR', statusReason: 'it crashes' },
      { id: 'wf.b', status: 'ERROR', statusReason: 'it crashes' },
    ])
  })
})

describe('logs', () => {
  let count = 0
  const log = (changes: Partial<LogRecord>): LogRecord => ({
    kind: 'log',
    id: `log-${(count += 1)}`,
    date: new Date().toISOString(),
    level: 'INFO',
    message: 'hello',
    runtimeId: 'demo',
    version: 'v1',
    versionId: 'id',
    workflow: 'wf',
    workflowName: 'wf',
    node: 'a',
    nodeName: 'a',
    requestId: null,
    ...changes,
  })
  const write = async (...records: LogRecord[]) => {
    await api.store.outputs.write(records)
    api.events.publish({ type: 'logs.written', runtimeId: 'demo' })
  }
  const filters = { startDate: '2020-01-01T00:00:00Z' }
  const tail = `subscription ($filters: LogFilters!) {
    watchNodeLogs(runtimeId: "demo", versionName: "v1", filters: $filters) { message nodeId requestId } }`
  const query = async (more: Record<string, unknown> = {}, cursor: string | null = null) =>
    api.graphql(
      `query ($filters: LogFilters!, $cursor: String) {
        logs(runtimeId: "demo", filters: $filters, cursor: $cursor) {
          cursor items { message nodeId nodeName workflowId level date versionName requestId } } }`,
      { filters: { ...filters, ...more }, cursor },
    )
  const messages = async (more: Record<string, unknown>) => {
    const page = (await query(more)).data?.['logs'] as unknown as { items: { message: string }[] }
    return page.items.map(({ message }) => message)
  }

  test('are tailed as they are stored: each once, old ones not at all', async () => {
    await write(log({ message: 'old' }))
    const stream = await open(tail, { filters })
    await write(log({ message: 'one' }), log({ message: 'other version', version: 'v2' }))
    await stream.received(1)
    // Stored later, written earlier: another node was slow.
    await write(log({ message: 'late', date: new Date(Date.now() - 1_000).toISOString() }))
    await write(log({ message: 'two', requestId: 'r-1' }))
    await stream.received(3)
    expect(stream.events.map(({ data }) => data?.['watchNodeLogs'])).toEqual([
      { message: 'one', nodeId: 'wf.a', requestId: null },
      { message: 'late', nodeId: 'wf.a', requestId: null },
      { message: 'two', nodeId: 'wf.a', requestId: 'r-1' },
    ])
  })

  test('are tailed through the same filters', async () => {
    const stream = await open(tail, {
      filters: { ...filters, levels: ['ERROR'], nodeIds: ['wf.b'], search: 'NEEDLE' },
    })
    await write(
      log({ level: 'ERROR', node: 'b', message: 'no' }),
      log({ level: 'INFO', node: 'b', message: 'a needle' }),
      log({ level: 'ERROR', node: 'a', message: 'a needle' }),
      log({ level: 'ERROR', node: 'b', message: 'the needle' }),
    )
    await stream.received(1)
    expect(stream.events).toMatchObject([{ data: { watchNodeLogs: { message: 'the needle' } } }])
  })

  test('are paged as long as asked for, within bounds', async () => {
    const date = new Date(1.6e12).toISOString()
    await write(...Array.from({ length: 60 }, (_, i) => log({ date, message: `long ${i}` })))
    const page = async (limit: number) =>
      api.graphql(
        `query ($filters: LogFilters!, $limit: Int) {
          logs(runtimeId: "demo", filters: $filters, limit: $limit) { cursor items { message } } }`,
        { filters: { ...filters, search: 'long ' }, limit },
      )
    const { data } = await page(50)
    expect(data?.['logs']).toMatchObject({ items: { length: 50 }, cursor: expect.any(String) })
    for (const limit of [0, 1_001])
      expect((await page(limit)).errors?.[0]?.message).toMatch(/limit: is 1 to 1000/)
  })

  test('are paged newest first, 40 at a time', async () => {
    const dates = Array.from({ length: 95 }, (_, i) => new Date(1.7e12 + i * 1_000).toISOString())
    await write(...dates.map((date, i) => log({ date, message: `m${i}` })))
    const seen: string[] = []
    const sizes: number[] = []
    let cursor: string | null = null
    do {
      const { data } = await query({}, cursor)
      const page = data?.['logs'] as unknown as {
        cursor: string | null
        items: { message: string }[]
      }
      seen.push(...page.items.map(({ message }) => message))
      sizes.push(page.items.length)
      cursor = page.cursor
    } while (cursor !== null)
    expect(sizes.slice(0, 3)).toEqual([40, 40, 15])
    expect(seen).toEqual(dates.map((_, i) => `m${94 - i}`))
  })

  test('are found by node, workflow, version, level, request and text', async () => {
    const { data } = await api.graphql('{ version(name: "v1", runtimeId: "demo") { id } }')
    const version = data?.['version'] as unknown as { id: string }
    await write(
      log({ message: 'by wf.a', workflow: 'wf', node: 'a' }),
      log({ message: 'by x.a', workflow: 'x', workflowName: 'x', node: 'a' }),
      log({ message: 'by the entrypoint', workflow: null, workflowName: null, node: null }),
      log({ message: 'by v2', version: 'v2', node: 'z', level: 'WARN', requestId: 'r-2' }),
    )
    expect(await messages({ nodeIds: ['wf.a'] })).toEqual(['by wf.a'])
    expect((await messages({ nodeIds: ['a'] })).toSorted()).toEqual(['by wf.a', 'by x.a'])
    expect(await messages({ nodeIds: ['entrypoint'] })).toEqual(['by the entrypoint'])
    expect(await messages({ workflowsNames: ['x'] })).toEqual(['by x.a'])
    expect(await messages({ versionsIds: ['v2'] })).toEqual(['by v2'])
    expect(await messages({ versionsIds: [version.id] })).toHaveLength(3)
    expect(await messages({ versionsIds: ['none'] })).toEqual([])
    expect(await messages({ levels: ['WARN'] })).toEqual(['by v2'])
    expect(await messages({ requestId: 'r-2' })).toEqual(['by v2'])
    expect(await messages({ search: 'ENTRYPOINT' })).toEqual(['by the entrypoint'])
    expect(await messages({ levels: [], nodeIds: [], search: '' })).toHaveLength(4)
    expect(await messages({ endDate: '2020-01-02T00:00:00Z' })).toEqual([])
  })

  test.each([
    [{ startDate: 'yesterday' }, 'filters.startDate: use a date as in 2026-01-31T12:00:00Z'],
    [{ endDate: '{"$gt":""}' }, 'filters.endDate: use a date'],
    [{ search: 'x'.repeat(501) }, 'filters.search'],
    [{ nodeIds: ['a.b.c'] }, 'filters.nodeIds: "a.b.c" is not a node id'],
  ])('refuse the filter %j', async (more, message) => {
    const { errors } = await query(more)
    expect(errors?.[0]?.message).toContain(message)
    expect(errors?.[0]?.extensions['code']).toBe('INVALID_ARGUMENT')
  })

  test('refuse a cursor that is none', async () => {
    const { errors } = await query({}, 'nonsense')
    expect(errors?.[0]?.extensions['code']).toBe('INVALID_ARGUMENT')
  })
})

describe('an event stream', () => {
  const watch = 'subscription { watchVersion { name status } }'

  test('leaves no listener behind when its client goes', async () => {
    const stream = await open(watch)
    expect(listeners).toBe(idle + 1)
    stream.close()
    await waitUntil('no listener', () => listeners === idle)
  })

  test('ends with its login and tells nothing after it', async () => {
    const cookie = await api.signIn()
    const stream = await open(watch, {}, { cookie })
    await api.send('/api/v1/auth/logout', { method: 'POST', headers: { cookie, origin: api.url } })
    await api.operate('startVersion')
    await waitUntil('the end of the stream', () => stream.isEnded())
    expect(stream.events).toEqual([])
    await waitUntil('no listener', () => listeners === idle)
  })

  test('is refused beyond 16 of one login', async () => {
    for (let i = 0; i < 16; i += 1) expect((await open(watch)).status).toBe(200)
    expect((await open(watch)).status).toBe(429)
    streams[0]?.close()
    await waitUntil('a free place', async () => (await open(watch)).status === 200)
  })

  test('is refused without a credential, and to clients that can’t read it', async () => {
    expect((await open(watch, {}, {})).status).toBe(401)
    const json = { ...api.asOwner, accept: 'application/json' }
    expect((await api.graphql(watch, {}, json)).status).toBe(406)
  })

  test('ends when the server closes', async () => {
    const closing = await startTestApi()
    const stream = await openEventStream(closing.url, closing.asOwner, watch)
    await closing[Symbol.asyncDispose]()
    await waitUntil('the end of the stream', () => stream.isEnded())
  })
})
