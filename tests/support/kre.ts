/** KRE as its users have it: the command line as a child process, on a data folder of the test's own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')
const main = join(root, 'engine/krectl/src/main.ts')

export type Outcome = { code: number | null; stdout: string; stderr: string }

export type Kre = AsyncDisposable & {
  readonly dataDir: string
  /** Runs `krectl …words` to its end, whatever that is. */
  run(...words: string[]): Promise<Outcome>
  /** The result of a command that has to succeed, as its --json says it. */
  json<T>(...words: string[]): Promise<T>
  /** Starts a command and hands its process over; it is ended with the rest. */
  start(...words: string[]): RunningCommand
}

export type RunningCommand = {
  readonly child: ChildProcess
  /** What it has written so far. */
  readonly written: { stdout: string; stderr: string }
  readonly ended: Promise<Outcome>
}

/** A data folder with blanks and umlauts in its path; nothing runs on it yet. Disposing stops what runs. */
export async function createKre(environment: Record<string, string> = {}): Promise<Kre> {
  const parent = await mkdtemp(join(tmpdir(), 'kre test ü-'))
  const dataDir = join(parent, 'Daten')
  const children = new Set<ChildProcess>()

  const start = (...words: string[]): RunningCommand => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, '--data', dataDir, ...words],
      {
        cwd: root,
        env: {
          ...process.env,
          NODE_COMPILE_CACHE: join(root, '.kre/cache/code'),
          KRE_ADMIN_PORT: '0',
          KRE_ENTRYPOINT_PORT: '0',
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    children.add(child)
    const written = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()))
    const ended = new Promise<Outcome>((done, failed) => {
      child.once('error', failed)
      child.once('close', (code) => {
        children.delete(child)
        done({ code, ...written })
      })
    })
    return { child, written, ended }
  }
  const run = (...words: string[]) => start(...words).ended

  return {
    dataDir,
    run,
    start,
    async json<T>(...words: string[]) {
      const { code, stdout, stderr } = await run('--json', ...words)
      if (code !== 0) throw new Error(`krectl ${words.join(' ')}: exit code ${code}\n${stderr}`)
      return JSON.parse(stdout) as T
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL')
      const { code, stderr } = await run('stop', '--force')
      await rm(parent, { recursive: true, force: true })
      if (code !== 0) throw new Error(`krectl stop --force: exit code ${code}\n${stderr}`)
    },
  }
}

export type Status = {
  processes: {
    role: string
    runtime: string | null
    version: string | null
    node: string | null
    pid: number | null
  }[]
  addresses: { name: string; runtime: string | null; version: string | null; address: string }[]
}

export async function pidsOf(kre: Kre): Promise<number[]> {
  const { processes } = await kre.json<Status>('status')
  return processes.flatMap(({ pid }) => pid ?? [])
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
