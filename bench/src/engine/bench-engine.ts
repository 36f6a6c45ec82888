/** An engine of its own for a benchmark, driven as a user would: by the command line, and by the API where a process start would be measured with it. */
import { execFile } from 'node:child_process'
import { readFile, readlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { withDescendants } from '../measure/processes.ts'
import { type BenchVersion, writeBundle } from './bundles.ts'

export type { BenchVersion } from './bundles.ts'

const run = promisify(execFile)
const main = resolve(import.meta.dirname, '../../../engine/krectl/src/main.ts')
const RUNTIME = 'bench'
/** Of a failed engine: the reason is at the end. */
const LOG_LINES = 15

export type BenchProcess = {
  role: string
  version: string | null
  node: string | null
  pid: number | null
  state: string
}
type Status = {
  processes: BenchProcess[]
  addresses: { version: string | null; address: string }[]
}
export type Started = {
  port: number
  /** Every process that a request of the version costs time in. */
  pids: number[]
}

export type BenchEngine = AsyncDisposable & {
  /** The program of its nats-server. */
  readonly natsServer: string
  readonly dataDir: string
  /** The one of all versions that it starts. */
  readonly runtimeId: string
  readonly adminUrl: string
  /** Its owner's. */
  readonly token: string
  /** Uploads a bundle without starting it. */
  create(version: BenchVersion): Promise<void>
  /** Uploads and starts. */
  start(version: BenchVersion): Promise<Started>
  /** Of a version that runs. */
  processes(version: string): Promise<BenchProcess[]>
  locate(version: string): Promise<Started>
  stop(version: string): Promise<void>
  /** Starts the next engine on the folder, after the one before was killed; resolves when its API answers. */
  takeOver(): Promise<void>
  graphql<T>(document: string, variables: object): Promise<T>
}

/** @param settings variables of the engine (docs/operations.md) that are not their defaults. */
export async function startBenchEngine(
  dir: string,
  say: (line: string) => void,
  settings: Readonly<Record<string, string>> = {},
): Promise<BenchEngine> {
  const dataDir = join(dir, 'data')
  const krectl = async <T>(...words: string[]): Promise<T> => {
    const { stdout } = await run(process.execPath, [main, ...words, '--json', '--data', dataDir], {
      // Ports of their own, so that an engine in daily use is not in the way.
      env: { ...process.env, KRE_ADMIN_PORT: '0', KRE_ENTRYPOINT_PORT: '0', ...settings },
      maxBuffer: 64 * 1024 * 1024,
    })
    return JSON.parse(stdout) as T
  }
  say('starting an engine')
  await using begun = new AsyncDisposableStack()
  // An engine that came up and then failed at something must not stay.
  begun.defer(() => krectl('stop'))
  try {
    await krectl('dev', '--detach', '--no-example')
    await krectl('runtime', 'create', RUNTIME)
  } catch (error) {
    // The log goes with the folder.
    const log = await readFile(join(dataDir, 'engine.log'), 'utf8').catch(() => 'it wrote no log')
    const last = log.trim().split('\n').slice(-LOG_LINES).join('\n')
    throw new Error(`the engine to measure could not be started:\n${last}`, { cause: error })
  }
  const { processes } = await krectl<Status>('status')
  const natsPid = processes.find(({ role }) => role === 'nats-server')?.pid
  const { adminUrl } = JSON.parse(await readFile(join(dataDir, 'engine.json'), 'utf8')) as {
    adminUrl: string
  }
  const token = (await readFile(join(dataDir, 'token'), 'utf8')).trim()

  const create = async (version: BenchVersion) => {
    const bundle = join(dir, version.version)
    await writeBundle(bundle, version)
    await krectl('version', 'create', '-r', RUNTIME, bundle)
  }
  const locate = async (version: string) => {
    const status = await krectl<Status>('status')
    const address = status.addresses.find((entry) => entry.version === version)?.address ?? ''
    const shared = status.processes.filter(
      ({ role }) => role === 'engine' || role === 'nats-server',
    )
    const own = status.processes.filter((process) => process.version === version)
    return {
      port: Number(address.split(':').at(-1)),
      // Workers of a node are processes of its runner.
      pids: [...pidsOf(shared), ...withDescendants(pidsOf(own))],
    }
  }
  const natsServer = await readlink(`/proc/${natsPid}/exe`)
  const running = begun.move()
  return {
    natsServer,
    dataDir,
    runtimeId: RUNTIME,
    adminUrl,
    token,
    create,
    locate,
    async start(version) {
      say(`starting ${version.version}: ${version.nodes.length} node(s)`)
      await create(version)
      await krectl('version', 'start', '-r', RUNTIME, version.version)
      return locate(version.version)
    },
    async processes(version) {
      const status = await krectl<Status>('status')
      return status.processes.filter((process) => process.version === version)
    },
    async takeOver() {
      await krectl('dev', '--detach', '--no-example')
    },
    async stop(version) {
      await krectl('version', 'stop', '-r', RUNTIME, version)
    },
    async graphql<T>(query: string, variables: object) {
      const response = await fetch(new URL('/graphql', adminUrl), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables: { runtimeId: RUNTIME, ...variables } }),
      })
      const { data, errors } = (await response.json()) as {
        data?: T
        errors?: { message: string }[]
      }
      if (data === undefined) throw new Error(errors?.[0]?.message ?? `status ${response.status}`)
      return data
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const pidsOf = (processes: readonly BenchProcess[]) => processes.flatMap(({ pid }) => pid ?? [])
