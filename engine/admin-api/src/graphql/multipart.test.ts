import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { KiB, MiB } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { bearerOf, makeUser, signInAs } from '../testing/people.ts'
import { anIssue } from '../testing/scripted-ingest.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { readParts } from './multipart-body.ts'

let api: TestApi

beforeEach(async () => {
  api = await startTestApi({ graphqlUploads: true, uploadLimits: { bytesMax: MiB } })
  await api.createRuntime()
})
afterEach(() => api[Symbol.asyncDispose]())

const QUERY =
  'mutation ($input: CreateVersionInput!) { createVersion(input: $input) { name status } }'
const operations = (query = QUERY, runtimeId = 'demo') =>
  JSON.stringify({ query, variables: { input: { file: null, runtimeId } } })
const MAP = '{"0":["variables.input.file"]}'

/** A form as browsers and KRE's clients make it. */
function formOf(parts: [name: string, value: string | Blob][]): FormData {
  const form = new FormData()
  for (const [name, value] of parts)
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, value, 'a.krt')
  return form
}
async function post(form: FormData, headers: Record<string, string> = api.asOwner) {
  const response = await fetch(`${api.url}/graphql`, { method: 'POST', body: form, headers })
  const text = await response.text()
  return { status: response.status, text, body: JSON.parse(text) as Record<string, never> }
}
const bundle = (contents: object = {}) => new Blob([JSON.stringify({ version: 'v1', ...contents })])
const upload = (file = bundle(), headers?: Record<string, string>, runtimeId?: string) =>
  post(
    formOf([
      ['operations', operations(QUERY, runtimeId)],
      ['map', MAP],
      ['0', file],
    ]),
    headers,
  )

describe('createVersion', () => {
  test('makes a version of the file, with its record', async () => {
    const { status, body } = await upload()
    expect([status, body]).toEqual([
      200,
      { data: { createVersion: { name: 'v1', status: 'CREATED' } } },
    ])
    const { data } = await api.graphql('{ userActivityList { type vars { key value } } }')
    expect(((data?.['userActivityList'] ?? []) as object[])[0]).toMatchObject({
      type: 'CREATE_VERSION',
      vars: expect.arrayContaining([{ key: 'VERSION_NAME', value: 'v1' }]),
    })
  })

  test('has all issues of an invalid bundle in its error', async () => {
    const { body } = await upload(bundle({ issues: [anIssue] }))
    expect(body['errors']).toMatchObject([
      {
        message: 'the bundle has 1 error: no version was created',
        extensions: { issues: [anIssue] },
      },
    ])
    expect(await api.scratchFiles()).toEqual([])
  })

  test('is for those who may upload, before the file is read', async () => {
    await makeUser(api, 'view@kre.io', { accessLevel: 'VIEWER' })
    await makeUser(api, 'other@kre.io', { grants: [{ runtimeId: 'demo', accessLevel: 'MANAGER' }] })
    expect((await upload(bundle(), {})).status).toBe(401)
    expect((await upload(bundle(), await bearerOf(api, 'view@kre.io'))).status).toBe(403)
    await api.createRuntime('other')
    const hidden = await upload(bundle(), await bearerOf(api, 'other@kre.io'), 'other')
    expect(hidden.text).toContain('there is no runtime')
    expect((await upload(bundle(), await bearerOf(api, 'other@kre.io'))).status).toBe(200)
    const cookie = await signInAs(api, 'dev@local.local')
    expect((await upload(bundle(), { cookie })).status).toBe(403)
    const foreign = { cookie, origin: 'https://evil.example' }
    expect((await upload(bundle(), foreign)).status).toBe(403)
  })

  test('has a record of what was refused before its operation was read', async () => {
    await makeUser(api, 'view@kre.io', { accessLevel: 'VIEWER' })
    expect((await upload(bundle(), await bearerOf(api, 'view@kre.io'))).status).toBe(403)
    expect((await upload(bundle({ contents: 'x'.repeat(2 * MiB) }))).status).toBe(413)
    expect((await post(formOf([['operations', '[]']]))).status).toBe(400)
    const { data } = await api.graphql(
      '{ userActivityList(types: [CREATE_VERSION]) { user { email } outcome errorCode operation address } }',
    )
    const refused = { outcome: 'REFUSED', operation: 'Mutation.createVersion' }
    expect(data?.['userActivityList']).toMatchObject([
      { ...refused, errorCode: 'invalid-argument', address: '127.0.0.1' },
      { ...refused, errorCode: 'resource-exhausted' },
      { ...refused, errorCode: 'permission-denied', user: { email: 'view@kre.io' } },
    ])
  })

  test('is off unless the engine is told otherwise, and says where to go', async () => {
    await using usual = await startTestApi()
    const form = formOf([['operations', operations()]])
    const response = await fetch(`${usual.url}/graphql`, {
      method: 'POST',
      body: form,
      headers: usual.asOwner,
    })
    expect(response.status).toBe(415)
    expect(await response.text()).toContain('KRE_GRAPHQL_UPLOADS=true')
    const input = { file: 'x', runtimeId: 'nope' }
    await usual.createRuntime('nope')
    const { errors } = await usual.graphql(QUERY, { input })
    expect(errors?.[0]?.message).toContain('KRE_GRAPHQL_UPLOADS=true')
  })

  test('leaves nothing of an upload that is broken off', async () => {
    const boundary = 'b'
    const req = request(new URL('/graphql', api.url), {
      method: 'POST',
      headers: { ...api.asOwner, 'content-type': `multipart/form-data; boundary=${boundary}` },
    })
    req.on('error', () => undefined)
    const part = (name: string, text: string) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}`
    req.write(`${part('operations', operations())}\r\n${part('map', MAP)}\r\n`)
    req.write(part('0', `{"version":${' '.repeat(64 * KiB)}`))
    await waitUntil('work in the scratch folder', async () => (await api.scratchFiles()).length > 0)
    req.destroy()
    await waitUntil('an empty scratch folder', async () => (await api.scratchFiles()).length === 0)
    expect((await upload()).status).toBe(200)
  })

  test.each<[string, [string, string | Blob][], RegExp]>([
    ['nothing', [], /missing|boundary/],
    [
      'the file first',
      [
        ['0', 'x'],
        ['operations', '{}'],
      ],
      /operations\\" is missing/,
    ],
    [
      'no file',
      [
        ['operations', operations()],
        ['map', MAP],
      ],
      /0\\" is missing/,
    ],
    [
      'no JSON',
      [
        ['operations', '{'],
        ['map', MAP],
      ],
      /have to be JSON/,
    ],
    [
      'a batch',
      [
        ['operations', `[${operations()}]`],
        ['map', MAP],
      ],
      /one operation/,
    ],
    [
      'no place',
      [
        ['operations', '{}'],
        ['map', MAP],
        ['0', 'x'],
      ],
      /has no variables/,
    ],
    [
      'two files',
      [
        ['operations', operations()],
        ['map', '{"0":["variables.a"],"1":["variables.b"]}'],
      ],
      /one file/,
    ],
    [
      'a prototype',
      [
        ['operations', operations()],
        ['map', '{"0":["variables.__proto__.x"]}'],
      ],
      /one file/,
    ],
    [
      'a path elsewhere',
      [
        ['operations', operations()],
        ['map', '{"0":["query"]}'],
      ],
      /one file/,
    ],
    ['large operations', [['operations', 'x'.repeat(300 * KiB)]], /more than 256 KiB/],
    [
      'a large map',
      [
        ['operations', operations()],
        ['map', 'x'.repeat(2 * KiB)],
      ],
      /more than 1 KiB/,
    ],
    [
      'more behind it',
      [
        ['operations', operations()],
        ['map', MAP],
        ['0', bundle()],
        ['1', 'x'],
      ],
      /more than one file/,
    ],
  ])('refuses a form with %s', async (_, parts, message) => {
    const { text } = await post(formOf(parts))
    expect(text).toMatch(message)
    expect(await api.store.versions.list('demo')).toEqual([])
    expect(await api.scratchFiles()).toEqual([])
  })

  test.each([
    '{ me { id } }',
    'mutation { deleteRuntime(input: {id: "demo", comment: "c"}) { id } }',
  ])('is all that a form may do: %s', async (query) => {
    const { text } = await post(
      formOf([
        ['operations', operations(query)],
        ['map', MAP],
        ['0', bundle()],
      ]),
    )
    expect(text).toContain('createVersion alone')
    expect(await api.store.runtimes.find('demo')).not.toBeNull()
  })

  test('refuses a file that is too large, and one that is wanted twice', async () => {
    expect((await upload(new Blob([randomBytes(2 * MiB)]))).text).toContain('too large')
    const twice = QUERY.replace(
      '{ createVersion',
      '{ a: createVersion(input: $input) { name } createVersion',
    )
    const { body } = await post(
      formOf([
        ['operations', operations(twice)],
        ['map', MAP],
        ['0', bundle()],
      ]),
    )
    expect(JSON.stringify(body['errors'])).toContain('taken already')
  })
})

describe('readParts', () => {
  test('gives the same parts however the bytes are cut', async () => {
    const value = Buffer.concat([
      randomBytes(300),
      Buffer.from('\r\n--b\r\r\n--bo'),
      randomBytes(300),
    ])
    const head = (name: string) => `Content-Disposition: form-data; name="${name}"; filename="x"`
    const body = Buffer.concat([
      Buffer.from(`--bou\r\n${head('one')}\r\n\r\nfirst\r\n--bou\r\n${head('two')}\r\n\r\n`),
      value,
      Buffer.from('\r\n--bou--\r\n'),
    ])
    for (const size of [1, 2, 3, 7, 64, body.length]) {
      async function* cut(): AsyncGenerator<Buffer> {
        for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size)
      }
      const seen: string[] = []
      for await (const { name, chunks } of readParts('multipart/form-data; boundary=bou', cut())) {
        const hash = createHash('sha256')
        for await (const chunk of chunks) hash.update(chunk)
        seen.push(`${name} ${hash.digest('hex')}`)
      }
      const sha = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')
      expect(seen).toEqual([`one ${sha('first')}`, `two ${sha(value)}`])
    }
  })
})
