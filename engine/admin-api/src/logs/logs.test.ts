import { request, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createLogger, waitUntil } from '@kre/service-kit'
import { sampleLog } from '@kre/store/testing'
import type { Principal } from '../principal.ts'
import { openEventStream } from '../testing/event-stream.ts'
import { bearerOf, makeUser, removeUser } from '../testing/people.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { keepLogsBounded } from './keep-logs-bounded.ts'
import { createLogTails } from './log-tails.ts'
import { tailLogs } from './tail-logs.ts'

const OWNER: Principal = {
  email: 'owner@kre.io',
  accessLevel: 'ADMIN',
  grants: new Map(),
  scope: 'full',
  runtimeIds: null,
  credential: { kind: 'owner' },
  isToken: false,
}

let api: TestApi
let runtimeId = ''
let runtimes = 0

beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())
beforeEach(async () => {
  runtimeId = `demo${(runtimes += 1)}`
  await api.createRuntime(runtimeId)
})

const write = (changes: Parameters<typeof sampleLog>[1][]) =>
  api.store.outputs.write(
    changes.map((one, i) => sampleLog(`${i}`.padStart(6, '0'), { runtimeId, ...one })),
  )
const download = (query = '', headers: Record<string, string> = api.asOwner) =>
  api.send(`/api/v1/runtimes/${runtimeId}/logs?startDate=2026-01-01T00:00:00Z${query}`, { headers })
const records = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('the download of logs', () => {
  test('gives text, oldest first, as a file', async () => {
    await write([
      { message: 'second', date: '2026-01-01T10:00:01.000Z', level: 'WARN' },
      { message: 'first', requestId: null },
      {
        message: 'of the entrypoint',
        date: '2026-01-01T10:00:02.000Z',
        workflow: null,
        node: null,
      },
    ])
    const { status, headers, text } = await download()
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(headers['content-disposition']).toBe(`attachment; filename="${runtimeId}.log"`)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(text).toBe(
      [
        '2026-01-01T10:00:00.000Z INFO  v1 wf.a first',
        '2026-01-01T10:00:01.000Z WARN  v1 wf.a [r1] second',
        '2026-01-01T10:00:02.000Z INFO  v1 entrypoint [r1] of the entrypoint',
        '',
      ].join('\n'),
    )
  })

  test('no message can pass for another record, and each JSON line is one record', async () => {
    const evil = [
      'x\n2026-01-01T10:00:00.000Z ERROR v1 wf.a forged',
      '"}\n{"level":"ERROR","message":"forged"}',
      '\u001b[2J\u202e\u2028{"a":1}\r\n\0',
      'x'.repeat(65_536),
    ]
    await write(
      evil.map((message, i) => ({
        message,
        requestId: `r\n${i}`,
        node: `a\nb`,
        date: `2026-01-01 (\nforged ${i}) 10:00:00Z`,
      })),
    )
    const lines = (await download()).text.split('\n')
    expect(lines.filter((line) => /^\S/.test(line))).toHaveLength(evil.length)
    const parsed = records((await download('&format=jsonl')).text)
    expect(parsed).toHaveLength(evil.length)
    expect(parsed.map(({ level }) => level)).toEqual(evil.map(() => 'INFO'))
    // eslint-disable-next-line no-control-regex
    expect(JSON.stringify(parsed)).not.toMatch(/\\u00|\u202e|\u2028/)
  })

  test('takes the same filters as the search', async () => {
    await write([
      { message: 'Needle one', level: 'ERROR' },
      { message: 'needle two', level: 'INFO', node: 'b' },
      { message: 'hay', level: 'ERROR', requestId: 'r2' },
    ])
    const messages = async (query: string) =>
      records((await download(`&format=jsonl${query}`)).text).map(({ message }) => message)
    expect(await messages('&search=NEEDLE')).toEqual(['Needle one', 'needle two'])
    expect(await messages('&search=needle&levels=ERROR&levels=WARN')).toEqual(['Needle one'])
    expect(await messages('&nodeIds=wf.b&nodeIds=b')).toEqual(['needle two'])
    expect(await messages('&requestId=r2&versionsIds=v1')).toEqual(['hay'])
    expect(await messages('&workflowsNames=other')).toEqual([])
    expect(await messages('&endDate=2026-01-01T09:00:00Z')).toEqual([])
  })

  test.each([
    ['no begin', 'format=text', 400],
    ['a format that is none', 'startDate=2026-01-01T00:00:00Z&format=exe', 400],
    ['a level that is none', 'startDate=2026-01-01T00:00:00Z&levels=LOUD', 400],
  ])('refuses %s', async (_, query, status) => {
    const answer = await api.send(`/api/v1/runtimes/${runtimeId}/logs?${query}`, {
      headers: api.asOwner,
    })
    expect(answer.status).toBe(status)
  })

  test('is whole however many lines there are, for whoever reads slowly', async () => {
    const count = 4_321
    await write(
      Array.from({ length: count }, (_, i) => ({
        message: `${i} ${'x'.repeat(2_000)}`,
        date: new Date(Date.parse('2026-01-01T10:00:00Z') + i).toISOString(),
      })),
    )
    let text = ''
    await new Promise<void>((resolve, reject) => {
      const path = `/api/v1/runtimes/${runtimeId}/logs?startDate=2026-01-01T00:00:00Z&format=jsonl`
      const req = request(new URL(path, api.url), { headers: api.asOwner }, (res) => {
        res.setEncoding('utf8')
        res.on('data', (chunk: string) => {
          text += chunk
          res.pause()
          setImmediate(() => res.resume())
        })
        res.on('end', resolve)
      })
      req.on('error', reject).end()
    })
    expect(records(text).map(({ message }) => parseInt(String(message), 10))).toEqual(
      Array.from({ length: count }, (_, i) => i),
    )
  })

  test('is cut when its reader loses the right to it, and is not taken for the whole', async () => {
    await write(Array.from({ length: 5_000 }, () => ({ message: 'x'.repeat(4_000) })))
    await makeUser(api, 'ada@kre.io', { grants: [{ runtimeId, accessLevel: 'VIEWER' }] })
    const headers = await bearerOf(api, 'ada@kre.io')
    const path = `/api/v1/runtimes/${runtimeId}/logs?startDate=2026-01-01T00:00:00Z`
    const res = await new Promise<IncomingMessage>((resolve, reject) => {
      request(new URL(path, api.url), { headers }, resolve).on('error', reject).end()
    })
    await removeUser(api, 'ada@kre.io')
    let bytes = 0
    const reading = (async () => {
      for await (const chunk of res) bytes += (chunk as Buffer).length
    })()
    await expect(reading).rejects.toThrow('aborted')
    expect(bytes).toBeLessThan(20_000_000)
  })

  test('ends without a fault when its reader leaves', async () => {
    await write(Array.from({ length: 5_000 }, () => ({ message: 'x'.repeat(4_000) })))
    await new Promise<void>((resolve) => {
      const path = `/api/v1/runtimes/${runtimeId}/logs?startDate=2026-01-01T00:00:00Z`
      const req = request(new URL(path, api.url), { headers: api.asOwner }, (res) => {
        res.once('data', () => res.destroy())
        res.once('close', resolve)
      })
      req.on('error', () => undefined).end()
    })
    expect((await download('&search=nothing')).status).toBe(200)
    expect(api.logLines.filter((line) => line.includes('request failed'))).toEqual([])
  })
})

describe('the search of logs', () => {
  const search = async (filters: object) => {
    const { data, errors } = await api.graphql(
      `query ($filters: LogFilters!) { logs(runtimeId: "${runtimeId}", filters: $filters) { items { message } } }`,
      { filters: { startDate: '2026-01-01T00:00:00Z', ...filters } },
    )
    const [error] = errors ?? []
    return error === undefined ? data?.['logs'] : [error.extensions['code'], error.message]
  }

  test('names the workflows and nodes that there are when it is asked for others', async () => {
    await api.upload({ version: 'v1' }, runtimeId)
    await write([
      { message: 'of a version that is gone', version: 'v0', workflow: 'old', node: 'z' },
    ])
    const node = 'there are: "wf.a", "wf.b", "entrypoint"'
    for (const versions of [{}, { versionsIds: ['v1'] }]) {
      expect(await search({ ...versions, workflowsNames: ['wf', 'nobody'] })).toEqual([
        'NOT_FOUND',
        'filters.workflowsNames: version "v1" has no workflow "nobody"; there are: "wf"',
      ])
      for (const nodeId of ['nobody', 'wf.nobody', 'nobody.a'])
        expect(await search({ ...versions, nodeIds: [nodeId] })).toEqual([
          'NOT_FOUND',
          `filters.nodeIds: version "v1" has no node "${nodeId}"; ${node}`,
        ])
      expect(await search({ ...versions, nodeIds: ['b', 'wf.a', 'entrypoint'] })).toEqual({
        items: [],
      })
    }
    // Lines outlive their version, which nobody can look up any more.
    expect(await search({ workflowsNames: ['old'] })).toMatchObject({ items: [{}] })
    expect(await search({ versionsIds: ['v0'], nodeIds: ['none'] })).toEqual({ items: [] })
    const file = await download('&nodeIds=nobody')
    expect([file.status, JSON.parse(file.text)]).toMatchObject([
      404,
      { message: expect.stringContaining(node) },
    ])
    const tail = await openEventStream(
      api.url,
      api.asOwner,
      `subscription { watchNodeLogs(runtimeId: "${runtimeId}", versionName: "v1",
        filters: { startDate: "2020-01-01T00:00:00Z", workflowsNames: ["old"] }) { id } }`,
    )
    await tail.received(1)
    expect(JSON.stringify(tail.events)).toContain('has no workflow')
    tail.close()
  })

  test('shows nothing that could steer a terminal', async () => {
    await write([{ message: 'a\u001b[31mb\u202ec' }])
    const { data } = await api.graphql(
      `{ logs(runtimeId: "${runtimeId}", filters: { startDate: "2026-01-01T00:00:00Z" }) { items { message } } }`,
    )
    expect(data).toEqual({ logs: { items: [{ message: String.raw`a\u{1b}[31mb\u{202e}c` }] } })
  })
})

describe('the tail of logs', () => {
  test('tells each line of a burst once, and does not read what it has told over and over', async () => {
    await api.upload({ version: 'v1' }, runtimeId)
    const stopped = new AbortController()
    let read = 0
    const outputs = {
      ...api.store.outputs,
      logs: async (...args: Parameters<TestApi['store']['outputs']['logs']>) => {
        const page = await api.store.outputs.logs(...args)
        read += page.items.length
        return page
      },
    }
    const begin = Date.now()
    const lines = await tailLogs(
      {
        ...api.store,
        followLog: createLogTails({ outputs, events: api.events, now: () => new Date(begin) }),
      },
      {
        principal: OWNER,
        runtimeId,
        versionName: 'v1',
        filters: { startDate: new Date(begin).toISOString() },
        signal: stopped.signal,
      },
    )
    const batches = 12
    const told: string[] = []
    for (let batch = 0; batch < batches; batch += 1) {
      await api.store.outputs.write(
        Array.from({ length: 1_000 }, (_, i) =>
          sampleLog(`${batch * 1_000 + i}`, {
            runtimeId,
            date: new Date(begin + batch * 100 + i / 10).toISOString(),
          }),
        ),
      )
      api.events.publish({ type: 'logs.written', runtimeId })
      while (told.length < (batch + 1) * 1_000) {
        const { value } = await lines.next()
        if (value !== undefined) told.push(value.record.id)
      }
    }
    stopped.abort()
    expect(told).toEqual(Array.from({ length: batches * 1_000 }, (_, i) => `${i}`))
    expect(read).toBeLessThan(batches * 3_100)
  })

  test('goes on after lines of nodes whose clocks are far ahead or behind', async () => {
    await api.upload({ version: 'v1' }, runtimeId)
    const stream = await openEventStream(
      api.url,
      api.asOwner,
      `subscription { watchNodeLogs(runtimeId: "${runtimeId}", versionName: "v1",
        filters: { startDate: "2020-01-01T00:00:00Z" }) { id } }`,
    )
    const at = (id: string, ms: number) =>
      api.store.outputs.write([
        sampleLog(id, { runtimeId, date: new Date(Date.now() + ms).toISOString() }),
      ])
    await at('of the year 2999', Date.UTC(2999) - Date.now())
    await at('of the past', -365 * 86_400_000)
    await at('of now', 0)
    api.events.publish({ type: 'logs.written', runtimeId })
    await stream.received(1)
    await at('of a second ahead', 1_000)
    api.events.publish({ type: 'logs.written', runtimeId })
    await stream.received(2)
    await at('of now again', 0)
    api.events.publish({ type: 'logs.written', runtimeId })
    await stream.received(3)
    expect(stream.events.map(({ data }) => data?.['watchNodeLogs'])).toEqual([
      { id: 'of now' },
      { id: 'of a second ahead' },
      { id: 'of now again' },
    ])
    stream.close()
  })
})

describe('the bounds of logs', () => {
  const logger = () => {
    const lines: string[] = []
    const made = createLogger('test', {
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    })
    return { lines, logger: made }
  }
  const limits = (input: object) =>
    api.graphql(
      'mutation ($input: UpdateLogLimitsInput!) { updateLogLimits(input: $input) { days bytesMax usage { lines bytes } } }',
      { input: { runtimeId, ...input } },
    )

  test('of a runtime are kept by the oldest lines going, and told in the log', async () => {
    const now = () => new Date('2026-01-10T00:00:00Z')
    await write(
      Array.from({ length: 3_000 }, (_, i) => ({
        message: 'x'.repeat(2_000),
        date: new Date(Date.parse('2026-01-01T00:00:00Z') + i * 240_000).toISOString(),
      })),
    )
    const answer = await limits({ days: 3, bytesMax: 1_048_576 })
    expect(answer.data).toMatchObject({
      updateLogLimits: { days: 3, bytesMax: 1_048_576, usage: { lines: 3_000 } },
    })
    const { lines, logger: log } = logger()
    const bounds = { ageMs: 7 * 86_400_000, bytesMax: 1e12 }
    await keepLogsBounded({ store: api.store, logger: log, now }, bounds)
    const { lines: left, bytes } = await api.store.logRetention.usage(runtimeId)
    expect(bytes).toBeLessThanOrEqual(1_048_576)
    expect(bytes).toBeGreaterThan(1_045_000)
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const own = told.find((line) => line['runtimeId'] === runtimeId)
    expect(own).toMatchObject({ msg: 'oldest log lines removed', bytesMax: 1_048_576 })
    expect(Number(own?.['byAge']) + Number(own?.['bySize']) + left).toBe(3_000)
    expect(own?.['byAge']).toBe(2_160)
  })

  test('of a runtime are never wider than those of the engine', async () => {
    await write([{ message: 'old' }])
    await limits({ days: 365 })
    const now = () => new Date('2026-03-01T00:00:00Z')
    const { logger: log } = logger()
    await keepLogsBounded({ store: api.store, logger: log, now }, { ageMs: 1, bytesMax: 1e12 })
    expect(await api.store.logRetention.usage(runtimeId)).toEqual({ lines: 0, bytes: 0 })
  })

  test.each([
    ['no day', { days: 0 }],
    ['more than a year', { days: 366 }],
    ['less than a MiB', { bytesMax: 1 }],
    ['more than a TiB', { bytesMax: 1e15 }],
  ])('refuse %s', async (_, input) => {
    const { errors } = await limits(input)
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('that fail are left to the next time', async () => {
    const { lines, logger: log } = logger()
    const store = {
      runtimes: api.store.runtimes,
      logRetention: {
        ...api.store.logRetention,
        trim: async (): Promise<never> => {
          throw new Error('disk')
        },
      },
    }
    await keepLogsBounded({ store, logger: log, now: () => new Date() }, { ageMs: 1, bytesMax: 1 })
    await waitUntil('told', () => lines.some((line) => line.includes('not removed')))
  })
})
