import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { newApiToken, signInAs, type Headers } from '../testing/people.ts'
import { startTestApi, type GraphqlAnswer, type TestApi } from '../testing/start-test-api.ts'
import { readUiOperations, resolveOperation } from './persisted-operations.ts'

const list = readUiOperations()
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
/** An operation of the UI by its name. */
const textOf = (name: string) =>
  [...list.values()].find((text) => new RegExp(`^\\w+ ${name}\\b`).test(text)) ?? ''
const naming = (text: string) => ({ persistedQuery: { version: 1, sha256Hash: sha256(text) } })
const OWN_TEXT = '{ me { id email } }'
const WATCH = 'subscription { watchVersion(runtimeId: "demo") { name } }'

let api: TestApi
let byCookie: Headers
beforeAll(async () => {
  api = await startTestApi({ persistedOnly: true, graphqlUploads: true })
  await api.createRuntime()
  await api.upload({ version: 'v1' })
  byCookie = { cookie: await signInAs(api, 'dev@local.local'), origin: api.url }
})
afterAll(() => api[Symbol.asyncDispose]())

type Sent = { query?: unknown; extensions?: unknown; variables?: unknown; operationName?: string }
async function post(sent: Sent, headers = byCookie, accept = 'application/json') {
  const { status, text } = await api.send('/graphql', {
    method: 'POST',
    headers: { ...headers, accept, 'content-type': 'application/json' },
    body: JSON.stringify(sent),
  })
  return { status, text }
}
const answerOf = (text: string) => JSON.parse(text) as GraphqlAnswer
const codeOf = (text: string) => answerOf(text).errors?.[0]?.extensions['code']

describe('a login by cookie, where only persisted operations are allowed', () => {
  test('names an operation of the admin UI, or sends its very text', async () => {
    for (const sent of [
      { extensions: naming(textOf('Me')), operationName: 'Me' },
      { query: '', extensions: naming(textOf('Me')) },
      { query: textOf('Me') },
      { query: textOf('Me'), extensions: naming(textOf('Me')) },
    ]) {
      const { status, text } = await post(sent)
      expect(status).toBe(200)
      expect(answerOf(text).data).toMatchObject({ me: { email: 'dev@local.local' } })
    }
    const named = encodeURIComponent(JSON.stringify(naming(textOf('Me'))))
    const got = await api.send(`/graphql?extensions=${named}`, { headers: byCookie })
    expect(answerOf(got.text).data).toMatchObject({ me: { email: 'dev@local.local' } })
  })

  test.each<[string, Sent]>([
    ['text of its own', { query: OWN_TEXT }],
    ['text with a digest of the list', { query: OWN_TEXT, extensions: naming(textOf('Me')) }],
    ['text beside one of the list', { query: `${textOf('Me')} ` }],
    ['a further operation', { query: `${textOf('Me')} query X ${OWN_TEXT}`, operationName: 'X' }],
    ['text and its own digest', { query: OWN_TEXT, extensions: naming(OWN_TEXT) }],
    ['introspection', { query: '{ __schema { types { name } } }' }],
    ['blanks', { query: ' ' }],
    ['no text', { query: [OWN_TEXT] }],
    ['nothing', {}],
    ['a name of what every object has', { extensions: { persistedQuery: 'constructor' } }],
    ['no digest', { extensions: { persistedQuery: { sha256Hash: '../../etc/passwd' } } }],
    ['an unknown digest', { extensions: naming(OWN_TEXT) }],
  ])('does not get %s answered', async (_, sent) => {
    const answer = answerOf((await post(sent)).text)
    expect(answer.data ?? null).toBeNull()
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: expect.any(String) })
  })

  test('is told what to do instead', async () => {
    const text = await post({ query: OWN_TEXT })
    expect(text.status).toBe(403)
    expect(codeOf(text.text)).toBe('PERSISTED_OPERATION_REQUIRED')
    expect(text.text).toContain('krectl token create')
    expect(answerOf(text.text).errors?.[0]?.extensions).toHaveProperty('requestId')
    const unknown = await post({ extensions: naming(OWN_TEXT) })
    expect(unknown.status).toBe(404)
    expect(codeOf(unknown.text)).toBe('PERSISTED_QUERY_NOT_FOUND')
    expect(unknown.text).toContain('reload the page')
    expect(api.logLines.filter((line) => line.includes('graphql'))).toEqual([])
  })

  test('has the same rule in its address, over event streams and in forms', async () => {
    const got = await api.send(`/graphql?query=${encodeURIComponent(OWN_TEXT)}`, {
      headers: byCookie,
    })
    expect(codeOf(got.text)).toBe('PERSISTED_OPERATION_REQUIRED')
    const stream = await post({ query: WATCH }, byCookie, 'text/event-stream')
    expect(stream.text).toContain('PERSISTED_OPERATION_REQUIRED')
    const form = new FormData()
    const query = 'mutation ($input: CreateVersionInput!) { createVersion(input: $input) { name } }'
    const variables = { input: { file: null, runtimeId: 'demo' } }
    form.set('operations', JSON.stringify({ query, variables }))
    form.set('map', '{"0":["variables.input.file"]}')
    form.set('0', new Blob([JSON.stringify({ version: 'v9' })]), 'v9.krt')
    const body = new Response(form)
    const uploaded = await api.send('/graphql', {
      method: 'POST',
      headers: { ...byCookie, 'content-type': body.headers.get('content-type') ?? '' },
      body: Buffer.from(await body.arrayBuffer()),
    })
    expect(codeOf(uploaded.text)).toBe('PERSISTED_OPERATION_REQUIRED')
    expect((await api.graphql('{ versions(runtimeId: "demo") { name } }')).data).toEqual({
      versions: [{ name: 'v1' }],
    })
  })

  test('has it over WebSockets, too', async () => {
    expect(await firstOf({ query: WATCH }, byCookie)).toContain('PERSISTED_OPERATION_REQUIRED')
    const unknown = { query: '', extensions: naming(WATCH) }
    expect(await firstOf(unknown, byCookie)).toContain('PERSISTED_QUERY_NOT_FOUND')
    const named = {
      query: '',
      extensions: naming(textOf('WatchVersion')),
      variables: { runtimeId: 'demo' },
    }
    expect(await firstOf(named, byCookie)).toContain('watchVersion')
  })

  test('does not bind tokens, which may name operations as well', async () => {
    const token = await newApiToken(api, api.asOwner, { name: 'ci', expiresInDays: 1 })
    const bearer = { authorization: `Bearer ${byCookie['cookie']?.split('=')[1]}` }
    for (const headers of [api.asOwner, token, bearer]) {
      expect((await post({ query: OWN_TEXT }, headers)).status).toBe(200)
      expect((await post({ extensions: naming(textOf('Me')) }, headers)).status).toBe(200)
      expect(codeOf((await post({ extensions: naming(OWN_TEXT) }, headers)).text)).toBe(
        'PERSISTED_QUERY_NOT_FOUND',
      )
    }
    expect(await firstOf({ query: WATCH }, api.asOwner)).toContain('watchVersion')
    // A header that is none does not make a token of a cookie.
    const both = await post({ query: OWN_TEXT }, { ...byCookie, authorization: '' })
    expect(both.status).toBe(401)
  })
})

test('any text is allowed by default, and names are known there as well', async () => {
  await using open = await startTestApi()
  const headers = { cookie: await signInAs(open, 'dev@local.local'), origin: open.url }
  expect((await open.graphql(OWN_TEXT, {}, headers)).data).toMatchObject({ me: {} })
  const { text } = await open.send('/graphql', {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ extensions: naming(textOf('Me')) }),
  })
  expect(answerOf(text).data).toMatchObject({ me: { email: 'dev@local.local' } })
})

test('digests are hexadecimal in any case, and Apollo sends text and digest together', () => {
  const known = new Map([[sha256('{ a }'), '{ a }']])
  const digest = sha256('{ a }').toUpperCase()
  const extensions = { persistedQuery: { version: 1, sha256Hash: digest }, other: true }
  expect(resolveOperation(known, { extensions }, true)).toBe('{ a }')
  expect(resolveOperation(known, { query: '{ b }', extensions: naming('{ b }') }, false)).toBe(
    '{ b }',
  )
  for (const ignored of [undefined, null, 'x', { persistedQuery: null }, {}])
    expect(resolveOperation(known, { extensions: ignored }, true)).toBeNull()
})

/** What comes first of a subscription, as text. */
async function firstOf(
  payload: {
    query: string
    extensions?: Record<string, unknown>
    variables?: Record<string, unknown>
  },
  headers: Headers,
): Promise<string> {
  class WithHeaders extends WebSocket {
    constructor(url: string, protocols: string) {
      super(url, protocols, { headers })
    }
  }
  const url = `${api.url.replace('http:', 'ws:')}/graphql`
  const client = createClient({ url, webSocketImpl: WithHeaders, retryAttempts: 0 })
  let first = ''
  const hear = (event: unknown) => void (first ||= JSON.stringify(event))
  client.subscribe(payload, { next: hear, error: hear, complete: () => undefined })
  let starts = 0
  await waitUntil('something', async () => {
    // There is no word for its begin: something is changed until it tells.
    if (first === '') await api.operate(starts++ % 2 === 0 ? 'startVersion' : 'stopVersion')
    return first !== ''
  })
  await client.dispose()
  return first
}
