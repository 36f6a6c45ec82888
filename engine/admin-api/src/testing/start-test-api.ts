import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEventBus, createLogger } from '@kre/service-kit'
import { openSqliteStore, type Store } from '@kre/store'
import { createAdminApi } from '../admin-api.ts'
import type { AdminApiDeps } from '../context.ts'
import { observeRuntime, type Observation } from './observe-runtime.ts'
import { scriptedIngest, type TestBundle } from './scripted-ingest.ts'

export const BOOTSTRAP_TOKEN = 'bootstrap-'.padEnd(43, 'x')

export type Answer = { status: number; headers: IncomingHttpHeaders; text: string }
export type GraphqlAnswer = {
  data?: Record<string, never> | null
  errors?: { message: string; path?: string[]; extensions: Record<string, unknown> }[]
}
export type TestApi = Awaited<ReturnType<typeof startTestApi>>

/**
 * The real API on a free port, over a real store in a folder of its own.
 *
 * @param within where that folder is made.
 */
export async function startTestApi(overrides: Partial<AdminApiDeps> = {}, within = tmpdir()) {
  const dataDir = await mkdtemp(join(within, 'kre-admin-api-'))
  const store = await openSqliteStore({ dataDir })
  const logLines: string[] = []
  const logger = createLogger('admin-api', {
    level: 'debug',
    destination: { write: (line) => void logLines.push(line) },
  })
  const events = createEventBus((error) => logger.error({ err: error }, 'a listener failed'))
  let clock = { offsetMs: 0 }
  let url = ''
  const api = createAdminApi({
    store,
    events,
    ingest: scriptedIngest,
    logger,
    now: () => new Date(Date.now() + clock.offsetMs),
    pepper: randomBytes(32),
    bootstrapToken: BOOTSTRAP_TOKEN,
    publicUrl: () => url,
    ...overrides,
  })
  const server = await api.listen({ host: '127.0.0.1', port: 0 })
  url = server.address

  /** One request by hand: headers that `fetch` forbids are allowed here. */
  async function send(
    path: string,
    options: RequestOptions & { body?: string | Buffer } = {},
  ): Promise<Answer> {
    const { body, ...rest } = options
    return new Promise((resolve, reject) => {
      const req = request(new URL(path, url), rest, (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('error', reject)
        res.on('end', () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        )
      })
      req.on('error', reject)
      req.end(body)
    })
  }

  const asOwner = { authorization: `Bearer ${BOOTSTRAP_TOKEN}` }

  async function graphql(
    query: string,
    variables: Record<string, unknown> = {},
    headers: Record<string, string> = asOwner,
  ): Promise<GraphqlAnswer & { status: number }> {
    const { status, text } = await send('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    })
    return { status, ...(JSON.parse(text) as GraphqlAnswer) }
  }

  return {
    url,
    store: store satisfies Store,
    events,
    dataDir,
    logLines,
    clock,
    asOwner,
    send,
    graphql,

    /** Runs a mutation on a version with a comment. */
    async operate(operation: string, versionName = 'v1', input: Record<string, unknown> = {}) {
      const type = `${operation[0]?.toUpperCase()}${operation.slice(1)}Input`
      return graphql(
        `mutation ($input: ${type}!) { ${operation}(input: $input) { name status } }`,
        {
          input: { runtimeId: 'demo', versionName, comment: 'for a test', ...input },
        },
      )
    },

    async createRuntime(id = 'demo') {
      return graphql(
        'mutation ($input: CreateRuntimeInput!) { createRuntime(input: $input) { id } }',
        { input: { id, name: `Runtime ${id}`, description: 'for tests' } },
      )
    },

    upload(bundle: TestBundle, runtimeId = 'demo', headers: Record<string, string> = {}) {
      return send(`/api/v1/runtimes/${runtimeId}/versions`, {
        method: 'PUT',
        headers: { ...asOwner, ...headers },
        body: JSON.stringify(bundle),
      })
    },

    observe: (observation?: Observation) => observeRuntime({ store, events }, 'demo', observation),

    async statusOf(versionName = 'v1'): Promise<string> {
      const { data } = await graphql(
        'query ($name: String!) { version(name: $name, runtimeId: "demo") { status } }',
        { name: versionName },
      )
      return (data?.['version'] as { status: string } | undefined)?.status ?? 'none'
    },

    /** Signs in as a browser does and returns the cookie. */
    async signIn(): Promise<string> {
      const link = await send('/api/v1/auth/login-link', { method: 'POST', headers: asOwner })
      const path = new URL((JSON.parse(link.text) as { url: string }).url).pathname
      const { headers } = await send(path, { method: 'POST' })
      return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    },

    scratchFiles: () => readdir(store.bundles.scratchDir),

    async [Symbol.asyncDispose]() {
      await server.close()
      await store[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
