/** Who may do what, cell by cell: every operation of the API with every kind of caller. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { buildSchema, isObjectType } from 'graphql'
import { DAY_MS, MINUTE_MS } from '@kre/contracts'
import { bearerOf, makeUser, newApiToken, type Headers } from '../testing/people.ts'
import { SAMPLE_CALLS, type Verdict } from '../testing/sample-calls.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { OPERATIONS } from './operations.ts'

const CALLERS = [
  'anonymous',
  'viewer',
  'viewer of another runtime',
  'manager',
  'manager of another runtime',
  'admin',
  'read token of an admin',
  'removed user',
  'expired token',
  'viewer of this runtime',
  'manager of this runtime',
  'full token of an admin for this runtime',
  'full token of an admin',
  'login got with a read token',
  'owner of the development token',
] as const
type Caller = (typeof CALLERS)[number]

/** A letter per caller, in the order above: allowed, denied, hidden (as if it were not there), less in a list, unknown. */
const VERDICTS: Record<string, Verdict> = {
  A: 'allowed',
  d: 'denied',
  h: 'hidden',
  l: 'absent',
  u: 'unknown caller',
}
const EVERYBODY = 'A A A A A A A A A A A A A A A'
const SIGNED_IN = 'u A A A A A A u u A A A A A A'
const READ_____ = 'u A h A h A A u u A A A A A A'
const LIST_____ = 'u A l A l A A u u A A A A A A'
const EDIT_____ = 'u d h A h A d u u d A A A d A'
const RUNTIMES_ = 'u d d A d A d u u d d d A d A'
const METRICS__ = 'u A d A d A A u u d d d A A A'
const ADMIN____ = 'u d d d d A d u u d d d A d A'
const PERSON___ = 'u A A A A A d u u A A d d d A'
const AUDIT____ = 'u d d A l A d u u d A A A d A'
const OWNER____ = 'u d d d d d d u u d d d d d A'

const EXPECTED: Readonly<Record<string, string>> = {
  'GET /healthz': EVERYBODY,
  'GET /signin/:token': EVERYBODY,
  'POST /signin/:token': EVERYBODY,
  'POST /api/v1/auth/signin': EVERYBODY,
  'POST /api/v1/auth/signin/verify': EVERYBODY,
  'POST /api/v1/auth/token/signin': EVERYBODY,
  'GET /api/v1/auth/oidc': EVERYBODY,
  'GET /api/v1/auth/oidc/callback': EVERYBODY,
  'POST /api/v1/auth/login-link': OWNER____,
  'POST /api/v1/auth/logout': SIGNED_IN,
  'GET /': LIST_____,
  'GET /ui': EVERYBODY,
  'GET /ui/*': EVERYBODY,
  'GET /graphql': SIGNED_IN,
  'POST /graphql': SIGNED_IN,
  'PUT /api/v1/runtimes/:id/versions': EDIT_____,
  'OPTIONS /api/v1/runtimes/:id/uploads': EDIT_____,
  'POST /api/v1/runtimes/:id/uploads': EDIT_____,
  'GET /api/v1/runtimes/:id/uploads': EDIT_____,
  'HEAD /api/v1/runtimes/:id/uploads/:upload': EDIT_____,
  'PATCH /api/v1/runtimes/:id/uploads/:upload': EDIT_____,
  'DELETE /api/v1/runtimes/:id/uploads/:upload': EDIT_____,
  'GET /api/v1/runtimes/:id/versions/:name/bundle': READ_____,
  'GET /api/v1/runtimes/:id/versions/:name/descriptor-set': READ_____,
  'GET /api/v1/runtimes/:id/versions/:name/document': READ_____,
  'POST /api/v1/runtimes/:id/versions/:name/call/:rpc': EDIT_____,
  'GET /api/v1/runtimes/:id/logs': READ_____,
  'GET /api/v1/status': ADMIN____,
  'GET /api/v1/keys': ADMIN____,
  'POST /api/v1/keys/rotate': OWNER____,
  'GET /metrics': METRICS__,
  'GET /api/v1/audit/export': AUDIT____,

  'Query.me': SIGNED_IN,
  'Query.users': ADMIN____,
  'Query.settings': ADMIN____,
  'Query.runtime': READ_____,
  'Query.runtimes': LIST_____,
  'Query.version': READ_____,
  'Query.versions': READ_____,
  'Query.configurationDifferences': EDIT_____,
  'Query.versionComparison': READ_____,
  'Query.logs': READ_____,
  'Query.logLimits': READ_____,
  'Query.metrics': READ_____,
  'Query.measurements': READ_____,
  'Query.measurementNames': READ_____,
  'Query.traffic': READ_____,
  'Query.recentRequests': READ_____,
  'Query.request': READ_____,
  'Query.edgeSamples': READ_____,
  'Query.documents': READ_____,
  'Query.userActivityList': AUDIT____,
  'Query.auditIntegrity': ADMIN____,

  'Mutation.createRuntime': RUNTIMES_,
  'Mutation.updateRuntime': RUNTIMES_,
  'Mutation.deleteRuntime': RUNTIMES_,
  'Mutation.createVersion': EDIT_____,
  'Mutation.restartVersion': EDIT_____,
  'Mutation.startVersion': EDIT_____,
  'Mutation.stopVersion': EDIT_____,
  'Mutation.publishVersion': EDIT_____,
  'Mutation.unpublishVersion': EDIT_____,
  'Mutation.deleteVersion': EDIT_____,
  'Mutation.updateVersionUserConfiguration': EDIT_____,
  'Mutation.updateLogLimits': EDIT_____,
  'Mutation.sampleMessages': EDIT_____,
  'Mutation.createUser': ADMIN____,
  'Mutation.removeUsers': ADMIN____,
  'Mutation.updateAccessLevel': ADMIN____,
  'Mutation.updateGrants': ADMIN____,
  'Mutation.revokeUserSessions': ADMIN____,
  'Mutation.endLogin': PERSON___,
  'Mutation.updateSettings': ADMIN____,
  'Mutation.generateApiToken': PERSON___,
  'Mutation.deleteApiToken': PERSON___,

  'Subscription.watchVersion': READ_____,
  'Subscription.watchNodeStatus': READ_____,
  'Subscription.watchNodeLogs': READ_____,
  'Subscription.watchTraffic': READ_____,
}

/** Fields of answers that not everybody who gets their parent may read: administrators, and the user itself. */
const INNER_FIELDS: Readonly<Record<string, string>> = {
  'User.globalAccessLevel': 'globalAccessLevel',
  'User.grants': 'grants { runtimeId }',
  'User.creationDate': 'creationDate',
  'User.lastActivity': 'lastActivity',
  'User.activeSessions': 'activeSessions',
  'User.logins': 'logins { id }',
  'User.apiTokens': 'apiTokens { id }',
}
/** Types whose fields all belong to their parent: who got that may read them. `User` has the ones above beside these. */
const OPEN_FIELDS: Readonly<Record<string, string>> = {
  User: 'id email accessLevel',
  Grant: 'runtimeId accessLevel',
  Login: 'id method userAgent creationDate lastActivity expirationDate isCurrent',
  ApiToken: 'id name creationDate lastActivity expirationDate scope runtimeIds',
  Settings: 'authAllowedDomains sessionLifetimeInDays',
}

const schema = buildSchema(
  readFileSync(new URL(import.meta.resolve('@kre/contracts/schema.graphql')), 'utf8'),
)
let api: TestApi
const headersOf = {} as Record<Caller, Headers>

beforeAll(async () => {
  api = await startTestApi({ metrics: () => '' })
  await api.createRuntime('demo')
  await api.createRuntime('other')
  await api.upload({ version: 'v1' })
  await api.operate('startVersion')
  const on = (runtimeId: string, accessLevel: string) => ({ grants: [{ runtimeId, accessLevel }] })
  const people = {
    viewer: { accessLevel: 'VIEWER' },
    'viewer of another runtime': on('other', 'VIEWER'),
    manager: { accessLevel: 'MANAGER' },
    'manager of another runtime': on('other', 'MANAGER'),
    admin: { accessLevel: 'ADMIN' },
    'removed user': { accessLevel: 'ADMIN' },
    'viewer of this runtime': on('demo', 'VIEWER'),
    'manager of this runtime': on('demo', 'MANAGER'),
  }
  const emailOf = (caller: string): string => `${caller.replaceAll(' ', '-')}@kre.io`
  for (const [caller, access] of Object.entries(people))
    await makeUser(api, emailOf(caller), access)
  const token = async (input: Record<string, unknown>) =>
    newApiToken(api, await bearerOf(api, emailOf('admin')), input)
  headersOf['expired token'] = await token({ name: 'expired', expiresInDays: 1 })
  api.clock.offsetMs = DAY_MS
  for (const caller of Object.keys(people) as Caller[])
    headersOf[caller] = await bearerOf(api, emailOf(caller))
  headersOf.anonymous = {}
  headersOf['read token of an admin'] = await token({ name: 'read', scope: 'READ' })
  headersOf['full token of an admin'] = await token({ name: 'full' })
  headersOf['full token of an admin for this runtime'] = await token({
    name: 'demo',
    runtimeIds: ['demo'],
  })
  const exchange = await api.send('/api/v1/auth/token/signin', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      apiToken: headersOf['read token of an admin']['authorization']?.slice(7),
    }),
  })
  const { access_token: got } = JSON.parse(exchange.text) as { access_token: string }
  headersOf['login got with a read token'] = { authorization: `Bearer ${got}` }
  headersOf['owner of the development token'] = api.asOwner
  const removal = await api.graphql(
    'mutation ($input: UsersInput!) { removeUsers(input: $input) { id } }',
    { input: { userIds: [emailOf('removed user')], comment: 'left' } },
  )
  expect(removal.errors).toBeUndefined()
})
afterAll(() => api[Symbol.asyncDispose]())

describe('the table of operations', () => {
  test('has a row, an expectation and a sample call for each operation', () => {
    const fields = ['Query', 'Mutation', 'Subscription'].flatMap((type) =>
      Object.keys(fieldsOf(type)).map((field) => `${type}.${field}`),
    )
    const routes = Object.keys(OPERATIONS).filter((name) => name.includes(' '))
    const all = [...fields, ...routes].toSorted()
    expect(Object.keys(OPERATIONS).toSorted()).toEqual(all)
    expect(Object.keys(EXPECTED).toSorted()).toEqual(all)
    expect(Object.keys(SAMPLE_CALLS).toSorted()).toEqual(all)
  })

  test('knows every field of the types that tell of people', () => {
    for (const [type, open] of Object.entries(OPEN_FIELDS)) {
      const inner = Object.keys(INNER_FIELDS)
        .filter((name) => name.startsWith(`${type}.`))
        .map((name) => name.slice(type.length + 1))
      expect([type, ...Object.keys(fieldsOf(type)).toSorted()]).toEqual([
        type,
        ...[...open.split(' '), ...inner].toSorted(),
      ])
    }
  })
})

describe('fields of a user', () => {
  const ask = async (caller: Caller, document: string): Promise<Verdict> => {
    const { status, errors } = await api.graphql(document, {}, headersOf[caller])
    expect(status).toBe(200)
    return errors?.[0]?.extensions['code'] === 'PERMISSION_DENIED' ? 'denied' : 'allowed'
  }

  test.each(Object.entries(INNER_FIELDS))('%s is for administrators', async (_name, selection) => {
    const ofAuthor = `{ runtime(id: "demo") { creationAuthor { id email accessLevel ${selection} } } }`
    expect({
      viewer: await ask('viewer', ofAuthor),
      manager: await ask('manager', ofAuthor),
      readToken: await ask('read token of an admin', ofAuthor),
      admin: await ask('full token of an admin', ofAuthor),
    }).toEqual({ viewer: 'denied', manager: 'denied', readToken: 'denied', admin: 'allowed' })
  })

  test.each(Object.entries(INNER_FIELDS))('%s is for the user itself', async (name, selection) => {
    const forPeople = ['User.activeSessions', 'User.logins', 'User.apiTokens'].includes(name)
    const ofMe = `{ me { id ${selection} } }`
    expect({
      viewer: await ask('viewer of another runtime', ofMe),
      readToken: await ask('read token of an admin', ofMe),
    }).toEqual({ viewer: 'allowed', readToken: forPeople ? 'denied' : 'allowed' })
  })
})

describe('every operation', () => {
  test.each(Object.entries(SAMPLE_CALLS))('%s is for whom it should be', async (name, call) => {
    // Wrong credentials are counted by the minute.
    api.clock.offsetMs += MINUTE_MS
    const letters = EXPECTED[name]?.split(' ') ?? []
    expect(letters).toHaveLength(CALLERS.length)
    const expected: Record<string, Verdict | undefined> = {}
    const verdicts: Record<string, Verdict> = {}
    for (const [index, caller] of CALLERS.entries()) {
      expected[caller] = VERDICTS[letters[index] ?? '']
      verdicts[caller] = await call(api, headersOf[caller])
    }
    expect(verdicts).toEqual(expected)
  })
})

function fieldsOf(type: string): Record<string, unknown> {
  const object = schema.getType(type)
  return isObjectType(object) ? object.getFields() : {}
}
