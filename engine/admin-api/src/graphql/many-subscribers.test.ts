/** A thousand who follow one log: each gets every line, whoever of the others takes nothing. */
import { request, type IncomingMessage } from 'node:http'
import { afterEach, expect, test } from '@jest/globals'
import { KiB, type LogRecord } from '@kre/contracts'
import { waitUntil as waitFor } from '@kre/service-kit'
import { createClient, type Client } from 'graphql-ws'
import { WebSocket } from 'ws'
import { newApiToken, type Headers } from '../testing/people.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

/** A thousand connections on a busy computer take their time. */
const TIMEOUT_MS = 60_000
const waitUntil = (what: string, condition: () => boolean | Promise<boolean>) =>
  waitFor(what, condition, { timeoutMs: TIMEOUT_MS })
const OF_TOKEN = 16
const EVENT_STREAM_TOKENS = 44
const SOCKET_TOKENS = 18
const LINES = 20
/** What a stalled one asks for is 14 times that, so that what the system buffers for it is soon full. */
const MESSAGE = 'x'.repeat(60 * KiB)

let api: TestApi
const closers: (() => void)[] = []

async function begin(overrides: Parameters<typeof startTestApi>[0] = {}): Promise<void> {
  api = await startTestApi(overrides)
  await api.createRuntime()
  await api.upload({ version: 'v1' })
}
afterEach(async () => {
  for (const close of closers.splice(0)) close()
  await api[Symbol.asyncDispose]()
})

const document = (fields: string) => `subscription {
  watchNodeLogs(runtimeId: "demo", versionName: "v1", filters: { startDate: "2020-01-01T00:00:00Z" }) { ${fields} } }`

async function openStream(headers: Headers, fields: string): Promise<IncomingMessage> {
  const req = request(new URL('/graphql', api.url), {
    method: 'POST',
    agent: false,
    headers: { ...headers, 'content-type': 'application/json', accept: 'text/event-stream' },
  })
  closers.push(() => req.destroy())
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    req.on('response', resolve)
    req.on('error', reject)
  })
  req.end(JSON.stringify({ query: document(fields) }))
  const res = await answered
  // Being cut is what some of them are for.
  req.on('error', () => undefined)
  res.on('error', () => undefined)
  return res
}

type Event = { data?: { watchNodeLogs?: { id: string; leftOut: number } } | null }

/** What has come, in its order: ids, and a mark for lines that were left out. */
async function followByEvents(headers: Headers): Promise<string[]> {
  const seen: string[] = []
  const res = await openStream(headers, 'id leftOut')
  expect(res.statusCode).toBe(200)
  let text = ''
  res.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (text + chunk).split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts) {
      const data = /^data: (.+)$/m.exec(part)?.[1]
      if (data !== undefined) note(seen, JSON.parse(data) as Event)
    }
  })
  return seen
}

function note(seen: string[], { data }: Event): void {
  const line = data?.watchNodeLogs
  if (line === undefined) return
  if (line.leftOut > 0) seen.push(`${line.leftOut} left out`)
  seen.push(line.id)
}

function followBySocket(headers: Headers, count: number): string[][] {
  class WithHeaders extends WebSocket {
    constructor(url: string, protocols: string) {
      super(url, protocols, { headers })
    }
  }
  const url = `${api.url.replace('http:', 'ws:')}/graphql`
  const client: Client = createClient({ url, webSocketImpl: WithHeaders, retryAttempts: 0 })
  closers.push(() => void client.dispose())
  return Array.from({ length: count }, () => {
    const seen: string[] = []
    client.subscribe(
      { query: document('id leftOut') },
      {
        next: (event) => note(seen, event as Event),
        error: () => undefined,
        complete: () => undefined,
      },
    )
    return seen
  })
}

const line = (id: string, message: string): LogRecord => ({
  kind: 'log',
  id,
  date: new Date().toISOString(),
  level: 'INFO',
  message,
  runtimeId: 'demo',
  version: 'v1',
  versionId: 'id',
  workflow: 'wf',
  workflowName: 'wf',
  node: 'a',
  nodeName: 'a',
  requestId: null,
})
async function write(...records: LogRecord[]): Promise<void> {
  await api.store.outputs.write(records)
  api.events.publish({ type: 'logs.written', runtimeId: 'demo' })
}
const tokens = async (name: string, count: number): Promise<Headers[]> => {
  const made: Headers[] = []
  for (let i = 0; i < count; i += 1)
    made.push(
      await newApiToken(api, api.asOwner, {
        name: `${name} ${i}`,
        scope: 'READ',
        expiresInDays: 1,
      }),
    )
  return made
}
const sixteen = <T>(open: () => T): T[] => Array.from({ length: OF_TOKEN }, open)

test('each of a thousand gets every line, while those who take nothing are cut', async () => {
  await begin({ stalledMs: 3_000 })
  const reading: string[][] = []
  for (const headers of await tokens('events', EVENT_STREAM_TOKENS))
    reading.push(...(await Promise.all(sixteen(() => followByEvents(headers)))))
  for (const headers of await tokens('sockets', SOCKET_TOKENS))
    reading.push(...followBySocket(headers, OF_TOKEN))
  // There is no word for the begin of a subscription over a socket.
  await waitUntil('all of them', async () => {
    await write(line(`begin ${Date.now()}`, ''))
    return reading.every((seen) => seen.length > 0)
  })
  const [careless = {}] = await tokens('careless', 1)
  const copies = Array.from({ length: 14 }, (_, i) => `m${i}: message`).join(' ')
  const stalled = await Promise.all(sixteen(() => openStream(careless, copies)))
  for (const res of stalled) res.pause()

  const ids = Array.from({ length: LINES }, (_, i) => `line ${i}`)
  for (const id of ids) {
    await write(line(id, MESSAGE))
    await waitUntil(id, () => reading.every((seen) => seen.at(-1) === id))
  }
  expect(reading).toHaveLength((EVENT_STREAM_TOKENS + SOCKET_TOKENS) * OF_TOKEN)
  for (const seen of reading) expect(seen.filter((id) => !id.startsWith('begin'))).toEqual(ids)

  const cut = () => api.logLines.filter((text) => text.includes('an event stream was cut'))
  await waitUntil('all who take nothing are cut', () => cut().length === OF_TOKEN)
  expect(JSON.parse(cut()[0] ?? '')).toMatchObject({ user: 'dev@local.local', stalledSeconds: 3 })
  // Their places are free again.
  expect((await openStream(careless, 'id')).statusCode).toBe(200)
})

test('who is slow gets the newest lines, and is told how many are missing', async () => {
  await begin()
  const [slow = {}] = await tokens('slow', 1)
  const res = await openStream(slow, `id leftOut m: message`)
  res.pause()
  const fast = await followByEvents(slow)
  const count = 400
  for (let i = 0; i < count; i += 1) {
    await write(line(`line ${i}`, MESSAGE))
    if (i % 50 === 49) await waitUntil('the fast one', () => fast.length === i + 1)
  }
  const seen: string[] = []
  let text = ''
  res.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (text + chunk).split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts) {
      const data = /^data: (.+)$/m.exec(part)?.[1]
      if (data !== undefined) note(seen, JSON.parse(data) as Event)
    }
  })
  res.resume()
  await waitUntil('the last line', () => seen.at(-1) === `line ${count - 1}`)
  const gaps = seen.flatMap((entry) => Number(/^(\d+) left out$/.exec(entry)?.[1] ?? 0))
  const lines = seen.filter((entry) => entry.startsWith('line'))
  expect(gaps.reduce((sum, gap) => sum + gap, 0)).toBe(count - lines.length)
  expect(count - lines.length).toBeGreaterThan(0)
})
