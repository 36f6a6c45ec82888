/**
 * The whole life of a version by KRE's own GraphQL documents, in plain JavaScript:
 *
 *   node kre-life-cycle.mjs --url URL --token-file FILE --bundle FILE.krt [--runtime ID] [--config FILE.json]
 *     [--multipart] [--call "/package.Service/Method JSON"] [--keep]
 *
 * It signs in, makes a runtime, uploads the bundle, sets its configuration, starts it and watches its nodes, publishes it,
 * calls it, reads logs and metrics, and takes everything away again. Each step is one line of JSON on standard output.
 */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'

/** Longest wait for a status. */
const PATIENCE_MS = 300_000
const COMMENT = 'by kre-life-cycle.mjs'

const { values: options } = parseArgs({
  options: {
    url: { type: 'string' },
    'token-file': { type: 'string' },
    bundle: { type: 'string' },
    runtime: { type: 'string', default: 'life-cycle' },
    config: { type: 'string' },
    multipart: { type: 'boolean', default: false },
    call: { type: 'string', multiple: true },
    keep: { type: 'boolean', default: false },
  },
  allowPositionals: false,
})

/** What KRE's admin page asks for, field by field. */
const DOCUMENTS = {
  me: 'query GetMe { me { id email accessLevel } }',
  createRuntime: `mutation CreateRuntime($input: CreateRuntimeInput!) {
    createRuntime(input: $input) { id name description creationDate } }`,
  createVersion: `mutation CreateVersion($input: CreateVersionInput!) {
    createVersion(input: $input) { id name status } }`,
  version: `query VersionConfStatus($versionName: String!, $runtimeId: ID!) {
    version(name: $versionName, runtimeId: $runtimeId) {
      id name description status creationDate creationAuthor { email } publicationDate errors hasDoc
      config { completed vars { key value type } }
      workflows { id name nodes { id name status } } } }`,
  updateConfiguration: `mutation UpdateVersionUserConfiguration($input: UpdateConfigurationInput!) {
    updateVersionUserConfiguration(input: $input) { id config { completed vars { key type } } } }`,
  startVersion: `mutation StartVersion($input: StartVersionInput!) {
    startVersion(input: $input) { id name status } }`,
  publishVersion: `mutation PublishVersion($input: PublishVersionInput!) {
    publishVersion(input: $input) { id name status publicationDate publicationAuthor { email } } }`,
  unpublishVersion: `mutation UnpublishVersion($input: UnpublishVersionInput!) {
    unpublishVersion(input: $input) { id name status } }`,
  stopVersion: `mutation StopVersion($input: StopVersionInput!) {
    stopVersion(input: $input) { id name status } }`,
  deleteVersion: `mutation DeleteVersion($input: DeleteVersionInput!) {
    deleteVersion(input: $input) { id name } }`,
  deleteRuntime: `mutation DeleteRuntime($input: DeleteRuntimeInput!) {
    deleteRuntime(input: $input) { id } }`,
  runtime: `query GetRuntime($id: ID!) {
    runtime(id: $id) { id entrypointAddress publishedVersion { id name status } } }`,
  logs: `query GetLogs($runtimeId: ID!, $filters: LogFilters!, $cursor: String) {
    logs(runtimeId: $runtimeId, filters: $filters, cursor: $cursor) {
      cursor items { id date nodeId nodeName workflowName message level } } }`,
  metrics: `query GetMetrics($runtimeId: ID!, $versionName: String!, $startDate: String!, $endDate: String!) {
    metrics(runtimeId: $runtimeId, versionName: $versionName, startDate: $startDate, endDate: $endDate) {
      values { accuracy { total micro macro weighted } missing newLabels }
      charts { confusionMatrix { x y z } successVsFails { x y z } } } }`,
  activities: `query GetUserActivity($types: [UserActivityType!]) {
    userActivityList(types: $types) { id type user { email } date vars { key value } } }`,
  watchNodeStatus: `subscription WatchVersionNodeStatus($versionName: String!, $runtimeId: ID!) {
    watchNodeStatus(versionName: $versionName, runtimeId: $runtimeId) { id name status } }`,
}

await main()

async function main() {
  const { url, bundle, runtime: runtimeId } = options
  if (url === undefined || bundle === undefined || options['token-file'] === undefined)
    throw new Error('--url, --token-file and --bundle are needed: see the head of this file')
  const token = await signIn(url, (await readFile(options['token-file'], 'utf8')).trim())
  const ask = (name, variables) => graphql(url, token, DOCUMENTS[name], variables)
  tell('signed in', (await ask('me', {})).me)

  const texts = { name: `Life cycle ${runtimeId}`, description: 'Made by a client of KRE' }
  const { createRuntime } = await ask('createRuntime', { input: { id: runtimeId, ...texts } })
  tell('runtime created', createRuntime)

  const upload = options.multipart ? uploadAsForm : uploadAsBody
  const versionName = await upload(url, token, runtimeId, bundle)
  tell('version created', { name: versionName })
  const ofVersion = { runtimeId, versionName }
  const change = async (name) => {
    const answer = await ask(name, { input: { ...ofVersion, comment: COMMENT } })
    tell(name, answer[name])
  }
  if (options.config !== undefined) tell('configured', await configure(ask, ofVersion))

  const watch = await watchNodes(url, token, ofVersion)
  await change('startVersion')
  await untilStatus(ask, ofVersion, 'STARTED')
  tell('nodes watched', await watch.end())

  await change('publishVersion')
  await untilStatus(ask, ofVersion, 'PUBLISHED')
  const { runtime } = await ask('runtime', { id: runtimeId })
  tell('published', runtime)
  for (const line of options.call ?? []) tell('answered', await call(runtime, line))

  const since = new Date(Date.now() - 3_600_000).toISOString()
  const filters = { startDate: since, versionsIds: [versionName] }
  tell('logs', (await ask('logs', { runtimeId, filters })).logs)
  const range = { startDate: since, endDate: new Date().toISOString() }
  tell('metrics', (await ask('metrics', { ...ofVersion, ...range })).metrics)

  await change('unpublishVersion')
  await untilStatus(ask, ofVersion, 'STARTED')
  await change('stopVersion')
  await untilStatus(ask, ofVersion, 'STOPPED')
  const types = ['CREATE_VERSION', 'START_VERSION', 'PUBLISH_VERSION', 'STOP_VERSION']
  tell('activities', (await ask('activities', { types })).userActivityList.length)
  if (options.keep) return
  await change('deleteVersion')
  await ask('deleteRuntime', { input: { id: runtimeId, comment: COMMENT } })
  tell('runtime deleted', { id: runtimeId })
}

/** An API token (`krt_…`) is exchanged for a login's, as KRE's clients do; a development token is used as it is. */
async function signIn(url, token) {
  if (!token.startsWith('krt_')) return token
  const { access_token: login } = await json(
    await fetch(new URL('/api/v1/auth/token/signin', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiToken: token }),
    }),
  )
  return login
}

async function graphql(url, token, query, variables) {
  const response = await fetch(new URL('/graphql', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  })
  return dataOf(await response.json())
}

/** GraphQL multipart request specification, as KRE's page uploads: needs `KRE_GRAPHQL_UPLOADS=true` at the engine. */
async function uploadAsForm(url, token, runtimeId, bundle) {
  const form = new FormData()
  const variables = { input: { file: null, runtimeId } }
  form.append('operations', JSON.stringify({ query: DOCUMENTS.createVersion, variables }))
  form.append('map', JSON.stringify({ 0: ['variables.input.file'] }))
  form.append('0', new Blob([await readFile(bundle)]), basename(bundle))
  const response = await fetch(new URL('/graphql', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  })
  return dataOf(await response.json()).createVersion.name
}

/** The way that works everywhere: the file as the body. */
async function uploadAsBody(url, token, runtimeId, bundle) {
  const response = await fetch(new URL(`/api/v1/runtimes/${runtimeId}/versions`, url), {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: await readFile(bundle),
  })
  return (await json(response)).version.name
}

async function configure(ask, { runtimeId, versionName }) {
  const values = JSON.parse(await readFile(options.config, 'utf8'))
  const { version } = await ask('version', { versionName, runtimeId })
  const configurationVariables = version.config.vars
    .filter(({ key }) => Object.hasOwn(values, key))
    .map(({ key }) => ({ key, value: values[key] }))
  const input = { versionName, runtimeId, configurationVariables }
  const { updateVersionUserConfiguration } = await ask('updateConfiguration', { input })
  return updateVersionUserConfiguration.config
}

async function untilStatus(ask, { runtimeId, versionName }, wanted) {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const { version } = await ask('version', { versionName, runtimeId })
    if (version.status === wanted) return
    if (version.status === 'ERROR') throw new Error(version.errors.join('; '))
    if (performance.now() > end) throw new Error(`still ${version.status}, not ${wanted}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Opens the subscription as server-sent events. @returns what ends it and tells the statuses that came, by node. */
async function watchNodes(url, token, variables) {
  const ended = new AbortController()
  const response = await fetch(new URL('/graphql', url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ query: DOCUMENTS.watchNodeStatus, variables }),
    signal: ended.signal,
  })
  if (!response.ok || response.body === null) throw new Error(`watching failed: ${response.status}`)
  const statuses = {}
  const reading = readEvents(response.body, ({ watchNodeStatus: { id, status } }) => {
    statuses[id] = [...(statuses[id] ?? []), status]
  }).catch((error) => {
    if (!ended.signal.aborted) throw error
  })
  return {
    async end() {
      ended.abort()
      await reading
      return statuses
    },
  }
}

async function readEvents(body, onData) {
  let buffer = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true })
    const events = buffer.split(/\r?\n\r?\n/)
    buffer = events.pop() ?? ''
    for (const event of events)
      for (const line of event.split(/\r?\n/))
        if (line.startsWith('data:') && line.length > 6) onData(dataOf(JSON.parse(line.slice(5))))
  }
}

/** `/package.Service/Method {"json": "message"}` at the published address, by the JSON door. */
async function call({ entrypointAddress }, line) {
  const [path, ...message] = line.split(' ')
  const response = await fetch(`http://${entrypointAddress}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: message.join(' ') || '{}',
  })
  return json(response)
}

function dataOf({ data, errors }) {
  if (errors === undefined) return data
  throw new Error(errors.map(({ message }) => message).join('; '))
}

async function json(response) {
  const body = await response.json()
  if (response.ok) return body
  throw new Error(`${response.status}: ${body.message ?? JSON.stringify(body)}`)
}

function tell(step, what) {
  process.stdout.write(`${JSON.stringify({ step, what })}\n`)
}
