/** What becomes of a subscription whose credential ends, is narrowed, or was never good for long. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { DAY_MS } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { openEventStream, type EventStream } from '../testing/event-stream.ts'
import { bearerOf, makeUser, newApiToken, type Headers } from '../testing/people.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

const WATCH = 'subscription { watchVersion { name status } }'
let api: TestApi
let stream: EventStream | undefined

beforeEach(async () => {
  api = await startTestApi()
  await api.createRuntime()
  await api.upload({ version: 'v1' })
  await makeUser(api, 'ada@kre.io', { accessLevel: 'VIEWER' })
})
afterEach(async () => {
  stream?.close()
  await api[Symbol.asyncDispose]()
})

const ofAda = (field: string, more = '') =>
  api.graphql(
    `mutation { ${field}(input: { userIds: ["ada@kre.io"], comment: "c" ${more} }) { id } }`,
  )
const deleteToken = async (): Promise<void> => {
  const { data } = await api.graphql('{ users { apiTokens { id } } }')
  const users = (data?.['users'] ?? []) as { apiTokens: { id: string }[] }[]
  const [token] = users.flatMap(({ apiTokens }) => apiTokens)
  await api.graphql(`mutation { deleteApiToken(input: { id: "${token?.id}" }) { name } }`)
}
const login = () => bearerOf(api, 'ada@kre.io')
const token = async () =>
  newApiToken(api, await login(), { name: 'ci', scope: 'READ', expiresInDays: 1 })

test.each<[string, () => Promise<Headers>, () => unknown]>([
  ['a login is revoked', login, () => ofAda('revokeUserSessions')],
  ['a login expires', login, () => (api.clock.offsetMs = 31 * DAY_MS)],
  ['an API token is deleted', token, deleteToken],
  ['an API token expires', token, () => (api.clock.offsetMs = DAY_MS + 1)],
  ['its user is removed', token, () => ofAda('removeUsers')],
  ['its user loses the level', login, () => ofAda('updateAccessLevel', ', accessLevel: null')],
])('a stream ends and tells nothing of what comes after when %s', async (_, headers, happen) => {
  stream = await openEventStream(api.url, await headers(), WATCH)
  expect(stream.status).toBe(200)
  await api.operate('startVersion')
  await stream.received(1)
  await happen()
  await api.operate('stopVersion')
  const ended = stream
  await waitUntil('the end of the stream', () => ended.isEnded())
  expect(JSON.stringify(ended.events)).not.toContain('STOP')
})

test('an engine whose clock is set back lets no ended login in, and writes an audit log that verifies', async () => {
  const headers = await login()
  api.clock.offsetMs = -365 * DAY_MS
  expect((await api.graphql('{ me { id } }', {}, headers)).data).toEqual({
    me: { id: 'ada@kre.io' },
  })
  await ofAda('revokeUserSessions')
  expect((await api.graphql('{ me { id } }', {}, headers)).status).toBe(401)
  api.clock.offsetMs = 0
  expect((await api.graphql('{ me { id } }', {}, headers)).status).toBe(401)
  const { data } = await api.graphql('{ auditIntegrity { ok } }')
  expect(data?.['auditIntegrity']).toEqual({ ok: true })
})
