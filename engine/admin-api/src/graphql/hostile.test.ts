import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { getIntrospectionQuery, parse } from 'graphql'
import { KreError } from '@kre/contracts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { measureDocument } from './document-limits.ts'

let api: TestApi

beforeAll(async () => {
  api = await startTestApi()
  await api.createRuntime()
})
afterAll(() => api[Symbol.asyncDispose]())

const nested = (fields: number) =>
  `{ ${'runtimes { '.repeat(fields - 1)} id ${'}'.repeat(fields - 1)} }`
const aliases = (count: number) =>
  `{ ${Array.from({ length: count }, (_, i) => `a${i}: me { id }`).join(' ')} }`
const doubling = (levels: number) =>
  `${Array.from({ length: levels }, (_, i) => `fragment f${i} on Query { a: me { id } ...f${i + 1} b${i}: me { id } ...f${i + 1} }`).join('\n')}
   fragment f${levels} on Query { me { id } } query { ...f0 }`

describe('documents that are small to send and large to answer', () => {
  test.each([
    ['deep', nested(11), 'too many depth'],
    ['with aliases', aliases(16), 'too many aliases'],
    ['with aliases in fragments', doubling(10), 'too many aliases'],
    ['with directives', `{ me { ${'id @include(if: true) '.repeat(11)} } }`, 'too many directives'],
    [
      'with directives on one field',
      `{ me { id ${'@skip(if: false)'.repeat(11)} } }`,
      'too many directives',
    ],
    ['with many tokens', `{ me { ${'id '.repeat(1_000)} } }`, '1000 tokens'],
    ['with circular fragments', '{ ...f } fragment f on Query { ...f }', 'Cannot spread fragment'],
    ['without end', '{'.repeat(500), 'Syntax Error'],
    ['empty', ' ', 'Syntax Error'],
  ])('%s are refused', async (_, query, message) => {
    const { status, errors, data } = await api.graphql(query)
    expect(JSON.stringify(errors)).toContain(message)
    expect(errors?.[0]?.extensions).toMatchObject({
      code: expect.stringMatching(/^GRAPHQL_(PARSE|VALIDATION)_FAILED$/),
    })
    expect(data).toBeUndefined()
    expect([200, 400]).toContain(status)
  })

  test('just within the limits are answered', async () => {
    expect((await api.graphql(aliases(15))).errors).toBeUndefined()
    expect(measureDocument(parse(nested(10)))).toMatchObject({ depth: 10, fields: 10 })
  })

  test('are measured without being spread out', () => {
    expect(measureDocument(parse(doubling(60))).fields).toBeGreaterThan(1e17)
  })

  test('are introspection only within graphql’s own limits', async () => {
    expect((await api.graphql(getIntrospectionQuery())).errors).toBeUndefined()
    const deep = `{ __schema { types { ${'fields { type { '.repeat(6)} name ${'} }'.repeat(6)} } } }`
    expect((await api.graphql(deep)).errors?.[0]?.message).toContain('Maximum introspection depth')
  })
})

describe('bodies that are no operation', () => {
  const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
    api.send('/graphql', {
      method: 'POST',
      headers: { ...api.asOwner, 'content-type': 'application/json', ...headers },
      body,
    })

  test.each([
    ['', 400],
    ['nonsense', 400],
    ['null', 400],
    ['42', 400],
    ['"{ me { id } }"', 400],
    ['[]', 400],
    ['[{"query":"{me{id}}"},{"query":"{me{id}}"}]', 400],
    ['{}', 200],
    ['{"query":{"$gt":""}}', 400],
    ['{"query":"{me{id}}","variables":[]}', 400],
    ['{"query":"{me{id}}","__proto__":{"polluted":1}}', 400],
    ['{"query":"{me{id}}","operationName":"other"}', 400],
  ])('like %s are refused', async (body, status) => {
    const answer = await post(body)
    expect(answer.status).toBe(status)
    expect(answer.text).toMatch(/errors.*"code".*"requestId":"[0-9a-f-]{36}"/)
    expect(answer.text).not.toContain('dev@local.local')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('above 256 KiB are refused, announced or not', async () => {
    const query = (bytes: number) => JSON.stringify({ query: '{me{id}}', pad: 'x'.repeat(bytes) })
    expect((await post(query(256 * 1024))).status).toBe(413)
    expect((await post(query(256 * 1024), { 'transfer-encoding': 'chunked' })).status).toBe(413)
    expect((await api.send('/healthz')).status).toBe(200)
  })

  test('with wrong variables name the variable and get a code', async () => {
    const { errors } = await api.graphql('query ($id: ID!) { runtime(id: $id) { id } }', { id: {} })
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'GRAPHQL_VALIDATION_FAILED',
      requestId: expect.any(String),
    })
  })
})

describe('what was sent and is no good', () => {
  const CANARY = 'secret-canary'
  const SET = `mutation ($input: UpdateConfigurationInput!) {
    updateVersionUserConfiguration(input: $input) { id } }`
  const input = (value: unknown, more: object = {}) => ({
    runtimeId: 'demo',
    versionName: 'v1',
    configurationVariables: [{ key: 'KEY', value, ...more }],
  })
  const post = (body: string) =>
    api.send('/graphql', {
      method: 'POST',
      headers: { ...api.asOwner, 'content-type': 'application/json' },
      body,
    })

  test.each([
    [
      'a value with a field too much',
      input(CANARY, { other: 1 }),
      '"input.configurationVariables[0]"; Field "other" is not defined',
    ],
    [
      'a value in a list',
      input([CANARY]),
      '"input.configurationVariables[0].value"; String cannot represent a non string value',
    ],
    [
      'a value without its key',
      { ...input(1), configurationVariables: [{ value: CANARY }] },
      'Field "key" of required type "String!" was not provided',
    ],
    [
      'a value where an object belongs',
      CANARY,
      'Expected type "UpdateConfigurationInput" to be an object',
    ],
  ])('is not repeated: %s', async (_, sent, reason) => {
    const { errors } = await api.graphql(SET, { input: sent })
    expect(errors?.[0]?.message).toContain(reason)
    expect(JSON.stringify(errors)).not.toContain(CANARY)
  })

  test('is not repeated: a value of no enum, a body that is no JSON', async () => {
    const { errors } = await api.graphql(
      'query ($f: LogFilters!) { logs(runtimeId: "demo", filters: $f) { cursor } }',
      { f: { startDate: '2026-01-01T00:00:00Z', levels: [CANARY] } },
    )
    expect(JSON.stringify(errors)).toContain('does not exist in \\"LogLevel\\" enum')
    expect(JSON.stringify(errors)).not.toContain(CANARY)
    const answer = await post(`{"query":"{me{id}}","variables":{"value":"${CANARY}"`)
    expect(answer.status).toBe(400)
    expect(answer.text).not.toContain(CANARY)
  })

  test('is told: variables of an address that are no JSON, a body that is compressed', async () => {
    const get = await api.send('/graphql?query=%7Bme%7Bid%7D%7D&variables=no', {
      headers: api.asOwner,
    })
    expect(get.status).toBe(400)
    expect(get.text).toMatch(/variables of the address are no JSON.*BAD_REQUEST.*requestId/)
    const packed = await api.send('/graphql', {
      method: 'POST',
      headers: { ...api.asOwner, 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: '{"query":"{me{id}}"}',
    })
    expect(packed.status).toBe(415)
    expect(packed.text).toContain('without Content-Encoding')
  })
})

describe('faults behind the API', () => {
  const CANARY = 'secret-canary /var/lib/kre mongodb://user:pass@host'

  test.each([
    ['a store that throws', () => Promise.reject(new Error(CANARY)), 'INTERNAL'],
    [
      'a store that is gone',
      () => Promise.reject(new KreError('unavailable', CANARY)),
      'UNAVAILABLE',
    ],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- libraries do it.
    ['a store that throws text', () => Promise.reject(CANARY), 'INTERNAL'],
  ])('are hidden from callers and told to the log: %s', async (_, list, code) => {
    const { runtimes } = api.store
    const real = runtimes.list.bind(runtimes)
    runtimes.list = list
    try {
      const { errors } = await api.graphql('{ runtimes { id } }')
      expect(errors?.[0]?.extensions).toMatchObject({ code, requestId: expect.any(String) })
      expect(JSON.stringify(errors)).not.toContain('canary')
      expect(api.logLines.join('')).toContain(String(errors?.[0]?.extensions['requestId']))
      const page = await api.send('/', { headers: api.asOwner })
      expect([500, 503]).toContain(page.status)
      expect(page.text).not.toContain('canary')
    } finally {
      runtimes.list = real
    }
    expect((await api.graphql('{ runtimes { id } }')).errors).toBeUndefined()
  })
})

describe('strings of callers', () => {
  test('are short and quoted wherever an answer repeats them', async () => {
    const id = `x"\n\u001b[31m${'y'.repeat(10_000)}`
    const { errors } = await api.graphql('query ($id: ID!) { runtime(id: $id) { id } }', { id })
    expect(errors?.[0]?.message.length).toBeLessThan(150)
    expect(errors?.[0]?.message).not.toContain('\n')
  })
})
