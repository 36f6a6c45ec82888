/** An engine of its own for a benchmark, driven through the command line as a user would. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { writeChainBundle, type Chain } from './chain-bundle.ts'

const run = promisify(execFile)
const main = resolve(import.meta.dirname, '../../engine/krectl/src/main.ts')
const RUNTIME = 'bench'

type Status = {
  processes: { role: string; version: string | null; pid: number | null }[]
  addresses: { version: string | null; address: string }[]
}

export type BenchEngine = AsyncDisposable & {
  /** Brings a chain up; gives its port and every process that a request of it costs time in. */
  start(chain: Chain): Promise<{ port: number; pids: number[] }>
  /** The folder for files of the run. */
  dir: string
}

export async function startBenchEngine(say: (line: string) => void): Promise<BenchEngine> {
  const dir = await mkdtemp(join(tmpdir(), 'kre-bench-'))
  const krectl = async <T>(...words: string[]): Promise<T> => {
    const { stdout } = await run(
      process.execPath,
      [main, ...words, '--json', '--data', join(dir, 'data')],
      {
        // Ports of their own, so that an engine in daily use is not in the way.
        env: { ...process.env, KRE_ADMIN_PORT: '0', KRE_ENTRYPOINT_PORT: '0' },
        maxBuffer: 64 * 1024 * 1024,
      },
    )
    return JSON.parse(stdout) as T
  }
  say('starting an engine')
  await krectl('dev', '--detach', '--no-example')
  await krectl('runtime', 'create', RUNTIME)
  return {
    dir,
    async start(chain) {
      say(`starting ${chain.nodes} ${chain.language} node(s)`)
      const bundle = join(dir, chain.version)
      await writeChainBundle(bundle, chain)
      await krectl('version', 'create', '-r', RUNTIME, bundle)
      await krectl('version', 'start', '-r', RUNTIME, chain.version)
      const status = await krectl<Status>('status')
      const address =
        status.addresses.find((entry) => entry.version === chain.version)?.address ?? ''
      const pids = status.processes
        .filter(
          (process) =>
            process.version === chain.version ||
            process.role === 'engine' ||
            process.role === 'nats-server',
        )
        .flatMap((process) => process.pid ?? [])
      return { port: Number(address.split(':').at(-1)), pids: await withChildren(pids) }
    },
    async [Symbol.asyncDispose]() {
      await krectl('stop')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Workers of a node are processes of its runner. */
async function withChildren(pids: number[]): Promise<number[]> {
  const { stdout } = await run('ps', ['-e', '-o', 'pid=,ppid='])
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
  const found = new Set(pids)
  // The engine's children are versions of their own and are counted by name.
  for (let before = -1; before !== found.size;) {
    before = found.size
    for (const [pid, parent] of all)
      if (pids.slice(1).includes(parent) || (found.has(parent) && !pids.includes(parent)))
        found.add(pid)
  }
  return [...found]
}
