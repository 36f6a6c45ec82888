import { sampleLog } from '@kre/store/testing'
import { waitUntil } from '@kre/service-kit'
import { openEventStream } from './event-stream.ts'
import type { Headers } from './people.ts'
import type { TestApi } from './start-test-api.ts'

/** What came of a call: what the rules make of it, whatever happened after they let it through. */
export type Verdict = 'allowed' | 'denied' | 'hidden' | 'absent' | 'unknown caller'
export type SampleCall = (api: TestApi, headers: Headers) => Promise<Verdict>

const ofVersion = { runtimeId: 'demo', versionName: 'nope', comment: 'c' }
const users = { userIds: ['nobody@kre.io'], comment: 'c' }
const filters = { startDate: '2026-01-01T00:00:00Z' }
const ofNope = 'runtimeId: "demo", versionName: "nope"'
let restarts = 0

/** One call per operation, on runtime `demo`, which changes nothing also when it is allowed. */
export const SAMPLE_CALLS: Readonly<Record<string, SampleCall>> = {
  'GET /healthz': http('GET', '/healthz'),
  'GET /signin/:token': http('GET', '/signin/x'),
  'POST /signin/:token': http('POST', '/signin/x'),
  'POST /api/v1/auth/signin': http('POST', '/api/v1/auth/signin', '{}'),
  'POST /api/v1/auth/signin/verify': http('POST', '/api/v1/auth/signin/verify', '{}'),
  'POST /api/v1/auth/token/signin': http('POST', '/api/v1/auth/token/signin', '{}'),
  'GET /api/v1/auth/oidc': http('GET', '/api/v1/auth/oidc'),
  'GET /api/v1/auth/oidc/callback': http('GET', '/api/v1/auth/oidc/callback'),
  'POST /api/v1/auth/login-link': http('POST', '/api/v1/auth/login-link?user=nobody@kre.io'),
  'GET /': async (api, headers) => {
    const { status, text } = await api.send('/', { headers })
    return status === 200 && !text.includes('Runtime demo') ? 'absent' : toVerdict(status, text)
  },
  'GET /ui': http('GET', '/ui'),
  'GET /ui/*': http('GET', '/ui/users'),
  'GET /graphql': http('GET', '/graphql?query=%7B__typename%7D'),
  'POST /graphql': http('POST', '/graphql', '{"query":"{__typename}"}'),
  'PUT /api/v1/runtimes/:id/versions': async (api, headers) => {
    const form = { ...headers, 'content-type': 'multipart/form-data; boundary=x' }
    const path = '/api/v1/runtimes/demo/versions'
    const { status, text } = await api.send(path, { method: 'PUT', headers: form })
    return toVerdict(status, text)
  },
  'OPTIONS /api/v1/runtimes/:id/uploads': http('OPTIONS', '/api/v1/runtimes/demo/uploads'),
  'POST /api/v1/runtimes/:id/uploads': http('POST', '/api/v1/runtimes/demo/uploads'),
  'GET /api/v1/runtimes/:id/uploads': http('GET', '/api/v1/runtimes/demo/uploads'),
  'HEAD /api/v1/runtimes/:id/uploads/:upload': async (api, headers) => {
    const { status } = await api.send('/api/v1/runtimes/demo/uploads/x', {
      method: 'HEAD',
      headers,
    })
    // An answer to HEAD says nothing but its status: 412 comes after the authorisation, 404 before it.
    return status === 404 ? 'hidden' : toVerdict(status, '')
  },
  'PATCH /api/v1/runtimes/:id/uploads/:upload': http('PATCH', '/api/v1/runtimes/demo/uploads/x'),
  'DELETE /api/v1/runtimes/:id/uploads/:upload': http('DELETE', '/api/v1/runtimes/demo/uploads/x'),
  'GET /api/v1/runtimes/:id/versions/:name/bundle': http(
    'GET',
    '/api/v1/runtimes/demo/versions/nope/bundle',
  ),
  'GET /api/v1/runtimes/:id/versions/:name/descriptor-set': http(
    'GET',
    '/api/v1/runtimes/demo/versions/nope/descriptor-set',
  ),
  'GET /api/v1/runtimes/:id/versions/:name/document': http(
    'GET',
    '/api/v1/runtimes/demo/versions/nope/document?path=docs/README.md',
  ),
  'POST /api/v1/runtimes/:id/versions/:name/call/:rpc': http(
    'POST',
    '/api/v1/runtimes/demo/versions/nope/call/Rpc',
    '{}',
  ),
  'GET /api/v1/runtimes/:id/logs': http(
    'GET',
    '/api/v1/runtimes/demo/logs?startDate=2026-01-01T00:00:00Z',
  ),
  'GET /api/v1/status': http('GET', '/api/v1/status'),
  'GET /api/v1/keys': http('GET', '/api/v1/keys'),
  'POST /api/v1/keys/rotate': http('POST', '/api/v1/keys/rotate'),
  'GET /metrics': http('GET', '/metrics'),
  'GET /api/v1/audit/export': async (api, headers) => {
    const path = '/api/v1/audit/export?runtimeIds=demo&types=CREATE_RUNTIME'
    const { status, text } = await api.send(path, { headers })
    return status === 200 && !text.includes('"demo"') ? 'absent' : toVerdict(status, text)
  },

  'Query.me': query('{ me { id } }'),
  'Query.users': query('{ users { id } }'),
  'Query.settings': query('{ settings { sessionLifetimeInDays } }'),
  'Query.runtime': query('{ runtime(id: "demo") { id } }'),
  'Query.runtimes': async (api, headers) => {
    const answer = await api.graphql('{ runtimes { id } }', {}, headers)
    const isThere = JSON.stringify(answer.data ?? null).includes('"demo"')
    return answer.status === 200 && !isThere ? 'absent' : ofAnswer(answer)
  },
  'Query.version': query('{ version(name: "nope", runtimeId: "demo") { id } }'),
  'Query.versions': query('{ versions(runtimeId: "demo") { id } }'),
  'Query.configurationDifferences': query(
    `{ configurationDifferences(${ofNope}, configurationVariables: []) }`,
  ),
  'Query.versionComparison': query(
    `{ versionComparison(${ofNope}, fromVersionName: "nope") { isSameBundle } }`,
  ),
  'Query.logs': query(
    'query ($filters: LogFilters!) { logs(runtimeId: "demo", filters: $filters) { cursor } }',
    { filters },
  ),
  'Query.logLimits': query('{ logLimits(runtimeId: "demo") { days } }'),
  'Query.metrics': query(
    `{ metrics(${ofNope}, startDate: "${filters.startDate}", endDate: "2026-01-02T00:00:00Z") { rows } }`,
  ),
  'Query.measurements': query(
    `{ measurements(${ofNope}, measurement: "m", from: "${filters.startDate}") { id } }`,
  ),
  'Query.measurementNames': query(`{ measurementNames(${ofNope}) }`),
  'Query.traffic': query(`{ traffic(${ofNope}, from: "${filters.startDate}") { step } }`),
  'Query.recentRequests': query(`{ recentRequests(${ofNope}) { id } }`),
  'Query.request': query('{ request(id: "nope", runtimeId: "demo") { id } }'),
  'Query.edgeSamples': query(
    `{ edgeSamples(${ofNope}, workflowId: "wf", fromNodeId: "entrypoint", toNodeId: "wf.a") { date } }`,
  ),
  'Query.documents': query(`{ documents(${ofNope}) { path } }`),

  'Query.userActivityList': async (api, headers) => {
    const document =
      '{ userActivityList(runtimeIds: ["demo"], types: [CREATE_RUNTIME]) { vars { value } } }'
    const answer = await api.graphql(document, {}, headers)
    const isThere = JSON.stringify(answer.data ?? null).includes('"demo"')
    return answer.data && !isThere ? 'absent' : ofAnswer(answer)
  },
  'Query.auditIntegrity': query('{ auditIntegrity { ok } }'),

  'Mutation.createRuntime': mutation('createRuntime', { id: '?', name: 'n', description: 'd' }),
  'Mutation.deleteRuntime': mutation('deleteRuntime', { id: 'demo', comment: '' }),
  'Mutation.updateRuntime': mutation('updateRuntime', { id: 'demo', name: '' }),
  'Mutation.createVersion': mutation('createVersion', { runtimeId: 'demo', file: 'x' }),
  'Mutation.restartVersion': mutation('restartVersion', ofVersion),
  'Mutation.startVersion': mutation('startVersion', ofVersion),
  'Mutation.stopVersion': mutation('stopVersion', ofVersion),
  'Mutation.publishVersion': mutation('publishVersion', ofVersion),
  'Mutation.unpublishVersion': mutation('unpublishVersion', ofVersion),
  'Mutation.deleteVersion': mutation('deleteVersion', ofVersion),
  'Mutation.updateVersionUserConfiguration': mutation(
    'updateVersionUserConfiguration',
    { runtimeId: 'demo', versionName: 'nope', configurationVariables: [] },
    'UpdateConfigurationInput',
  ),
  'Mutation.updateLogLimits': mutation(
    'updateLogLimits',
    { runtimeId: 'demo', days: 0 },
    undefined,
    '{ days }',
  ),
  'Mutation.sampleMessages': mutation('sampleMessages', {
    runtimeId: 'demo',
    versionName: 'nope',
    minutes: 1,
  }),
  'Mutation.createUser': mutation('createUser', { email: '?' }),
  'Mutation.removeUsers': mutation('removeUsers', users, 'UsersInput'),
  'Mutation.updateAccessLevel': mutation('updateAccessLevel', { ...users, accessLevel: 'ADMIN' }),
  'Mutation.updateGrants': mutation('updateGrants', { ...users, grants: [] }),
  'Mutation.revokeUserSessions': mutation('revokeUserSessions', users, 'UsersInput'),
  'Mutation.endLogin': mutation('endLogin', { id: 'nope' }),
  'Mutation.updateSettings': mutation(
    'updateSettings',
    { sessionLifetimeInDays: 0 },
    'SettingsInput',
    '{ sessionLifetimeInDays }',
  ),
  'Mutation.generateApiToken': mutation('generateApiToken', { name: '' }, undefined, ''),
  'Mutation.deleteApiToken': mutation('deleteApiToken', { id: 'nope' }),

  'Subscription.watchVersion': subscription('watchVersion(runtimeId: "demo") { id }'),
  'Subscription.watchNodeStatus': subscription(
    'watchNodeStatus(versionName: "v1", runtimeId: "demo") { id }',
  ),
  'Subscription.watchNodeLogs': subscription(
    'watchNodeLogs(runtimeId: "demo", versionName: "v1", filters: {startDate: "2026-01-01T00:00:00Z"}) { id }',
  ),
  'Subscription.watchTraffic': subscription(
    'watchTraffic(versionName: "v1", runtimeId: "demo") { step }',
  ),
  // Last, because it ends the logins that the others use.
  'POST /api/v1/auth/logout': http('POST', '/api/v1/auth/logout'),
}

function http(method: string, path: string, body?: string): SampleCall {
  return async (api, headers) => {
    const type: Headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const options = { method, headers: { ...type, ...headers } }
    const { status, text } = await api.send(
      path,
      body === undefined ? options : { ...options, body },
    )
    return toVerdict(status, text)
  }
}

function query(document: string, variables: Record<string, unknown> = {}): SampleCall {
  return async (api, headers) => ofAnswer(await api.graphql(document, variables, headers))
}

function mutation(
  field: string,
  input: Record<string, unknown>,
  type = `${field[0]?.toUpperCase()}${field.slice(1)}Input`,
  selection = '{ id }',
): SampleCall {
  return query(`mutation ($input: ${type}!) { ${field}(input: $input) ${selection} }`, { input })
}

/** Opens a stream and makes something happen that it tells of. */
function subscription(selection: string): SampleCall {
  return async (api, headers) => {
    const stream = await openEventStream(api.url, headers, `subscription { ${selection} }`)
    try {
      if (stream.status !== 200) return stream.status === 401 ? 'unknown caller' : 'denied'
      restarts += 1
      await api.observe({ restarts })
      const date = new Date(Date.now() + api.clock.offsetMs).toISOString()
      await api.store.outputs.write([sampleLog(`line ${restarts}`, { date })])
      api.events.publish({ type: 'logs.written', runtimeId: 'demo' })
      await waitUntil('an event', () => stream.events.length > 0 || stream.isEnded())
      return ofAnswer({ status: 200, ...stream.events[0] })
    } finally {
      stream.close()
    }
  }
}

function ofAnswer(answer: {
  status: number
  message?: string
  errors?: { message: string; extensions: Record<string, unknown> }[]
}): Verdict {
  const error = answer.errors?.[0]
  if (error?.extensions['code'] === 'PERMISSION_DENIED') return 'denied'
  return toVerdict(answer.status, error?.message ?? '')
}

function toVerdict(status: number, text: string): Verdict {
  if (status === 401) return 'unknown caller'
  if (status === 403) return 'denied'
  return /there is no runtime \\?"demo/.test(text) ? 'hidden' : 'allowed'
}
