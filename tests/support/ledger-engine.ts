/** An engine of its own for a test of faults: a process that can be killed, on a data folder that outlives it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { EngineStatus, VersionStatus } from '@kre/contracts'
import { readEngineRecords, waitUntil } from '@kre/service-kit'

const root = resolve(import.meta.dirname, '../..')
const main = join(root, 'engine/all-in-one/src/main.ts')

export type VersionView = {
  name: string
  status: VersionStatus
  statusReason: string
  entrypointAddress: string
  workflows: { nodes: { name: string; status: string; statusReason: string; restarts: number }[] }[]
}
export type Answer<T> = { status: number; body: T }
export type Operation = 'start' | 'stop' | 'publish' | 'unpublish' | 'delete'

const VERSION_FIELDS = `name status statusReason entrypointAddress
  workflows { nodes { name status statusReason restarts } }`

export type TestEngine = AsyncDisposable & {
  readonly dataDir: string
  /** Of its admin API. */
  url(): string
  token(): string
  pid(): number
  /** Of the engine that was started last. */
  process(): ChildProcess
  /** `kill -9` of the engine alone; resolves when it is gone. */
  kill(): Promise<void>
  /** Starts an engine on the folder; resolves when its API answers. */
  start(): Promise<void>
  /** Any request to the admin API, with the token unless `token` is given. */
  request<T>(
    method: string,
    path: string,
    body?: RequestInit['body'],
    token?: string | null,
  ): Promise<Answer<T>>
  graphql<T>(document: string, variables?: object): Promise<T>
  createRuntime(id: string): Promise<void>
  upload<T>(runtimeId: string, archive: Uint8Array): Promise<Answer<T>>
  /** @throws Error with the API's message when it refuses. */
  operate(
    operation: Operation,
    runtimeId: string,
    versionName: string,
    comment?: string,
  ): Promise<void>
  version(runtimeId: string, name: string): Promise<VersionView>
  /** Waits for a status. `timeoutMs` is for loaded machines. */
  reach(
    runtimeId: string,
    name: string,
    wanted: VersionStatus,
    timeoutMs?: number,
  ): Promise<VersionView>
  status(): Promise<EngineStatus>
  /** The process of a node, or of an entrypoint when `node` is null; it must have a pid. */
  pidOf(version: string | null, node: string | null): Promise<number>
}

const CACHE = { KRE_CACHE: join(root, '.kre/cache') }
/** As krectl starts it: half of what a start costs is compiling. */
const COMPILED = { NODE_COMPILE_CACHE: join(root, '.kre/cache/code') }

/**
 * @param environment settings of the engine, over ports of its own.
 * @param dataDir that outlives it; absent = a new one.
 * @param program in place of the engine's own.
 * @param flags of Node.
 */
export async function startTestEngine(
  environment: Record<string, string> = {},
  dataDir?: string,
  program = main,
  flags: readonly string[] = [],
): Promise<TestEngine> {
  const dir = dataDir ?? (await mkdtemp(join(tmpdir(), 'kre-faults-')))
  let child: ChildProcess | null = null
  let url = ''
  let token = ''

  const start = async () => {
    const log = await open(join(dir, 'engine.log'), 'a')
    const started = spawn(process.execPath, [...flags, program, 'run'], {
      cwd: dir,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        KRE_DATA: dir,
        ...CACHE,
        // With compiled code an engine may start anew in place, and lose its channel by that.
        ...(program === main ? COMPILED : {}),
        KRE_ADMIN_PORT: '0',
        KRE_ENTRYPOINT_PORT: '0',
        ...environment,
      },
      stdio: ['ignore', log.fd, log.fd, ...(program === main ? [] : ['ipc' as const])],
    })
    await log.close()
    child = started
    const record = await waitUntil(
      'the engine',
      async () => {
        if (started.exitCode !== null)
          throw new Error(
            `the engine ended: ${(await readFile(join(dir, 'engine.log'), 'utf8')).slice(-2_000)}`,
          )
        const found = (await readEngineRecords(dir)).find(({ pid }) => pid === started.pid)
        return found?.adminUrl ? found : null
      },
      { timeoutMs: 120_000, everyMs: 20 },
    )
    url = record.adminUrl ?? ''
    token = (await readFile(join(dir, 'token'), 'utf8')).trim()
  }

  const request: TestEngine['request'] = async <T>(
    method: string,
    path: string,
    body?: RequestInit['body'],
    credential: string | null = token,
  ) => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
        ...(path === '/graphql' ? { 'content-type': 'application/json' } : {}),
      },
      ...(body === undefined ? {} : { body }),
    })
    const text = await response.text()
    return { status: response.status, body: parse(text) as T }
  }

  const engine: TestEngine = {
    dataDir: dir,
    url: () => url,
    token: () => token,
    pid: () => child?.pid ?? 0,
    process() {
      if (child === null) throw new Error('the engine was not started')
      return child
    },
    async kill() {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
    start,
    request,
    async graphql<T>(query: string, variables: object = {}) {
      const { status, body } = await request<{ data?: T; errors?: { message: string }[] }>(
        'POST',
        '/graphql',
        JSON.stringify({ query, variables }),
      )
      if (body.errors?.[0] !== undefined) throw new Error(body.errors[0].message)
      if (body.data === undefined) throw new Error(`the API answered ${status}`)
      return body.data
    },
    async createRuntime(id) {
      await engine.graphql(
        'mutation ($input: CreateRuntimeInput!) { createRuntime(input: $input) { id } }',
        { input: { id, name: id, description: 'a test of faults' } },
      )
    },
    upload: (runtimeId, archive) =>
      request(
        'PUT',
        `/api/v1/runtimes/${runtimeId}/versions`,
        new Blob([archive as Uint8Array<ArrayBuffer>]),
      ),
    async operate(operation, runtimeId, versionName, comment = 'a test of faults') {
      const input = `${operation[0]?.toUpperCase()}${operation.slice(1)}VersionInput`
      await engine.graphql(
        `mutation ($input: ${input}!) { ${operation}Version(input: $input) { id } }`,
        {
          input: { runtimeId, versionName, comment },
        },
      )
    },
    async version(runtimeId, name) {
      const { version } = await engine.graphql<{ version: VersionView }>(
        `query ($name: String!, $runtimeId: ID!) { version(name: $name, runtimeId: $runtimeId) { ${VERSION_FIELDS} } }`,
        { name, runtimeId },
      )
      return version
    },
    async reach(runtimeId, name, wanted, timeoutMs = 120_000) {
      let last: VersionView | null = null
      try {
        return await waitUntil(
          `version ${name} ${wanted}`,
          async () => {
            last = await engine.version(runtimeId, name)
            return last.status === wanted ? last : null
          },
          { timeoutMs, everyMs: 30 },
        )
      } catch (error) {
        throw new Error(`version ${name} is not ${wanted}: ${JSON.stringify(last)}`, {
          cause: error,
        })
      }
    },
    async status() {
      return (await request<EngineStatus>('GET', '/api/v1/status')).body
    },
    async pidOf(version, node) {
      return waitUntil(
        `a process of ${node ?? 'the entrypoint'}`,
        async () =>
          (await engine.status()).processes.find(
            (one) =>
              one.version === version &&
              (node === null ? one.role === 'entrypoint' : one.node === node) &&
              one.state === 'ready',
          )?.pid ?? null,
        { everyMs: 30 },
      )
    },
    async [Symbol.asyncDispose]() {
      await engine.kill()
      // What it left behind ends by KRE's own means.
      const stop = spawn(process.execPath, [main, 'stop'], {
        env: {
          ...process.env,
          ...environment,
          KRE_DATA: dir,
          ...CACHE,
          ...COMPILED,
        },
        stdio: 'ignore',
      })
      await once(stop, 'exit')
      if (dataDir === undefined) await rm(dir, { recursive: true, force: true, maxRetries: 3 })
    },
  }
  await start()
  return engine
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // not JSON: a page, or the binary answer of a route
  }
}
