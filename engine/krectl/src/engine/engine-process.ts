/** Starts and stops the laptop's engine as a process of its own. */
import { spawn } from 'node:child_process'
import { mkdir, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { processStartTime, readEngineRecord, waitUntil, type EngineRecord } from '@kre/service-kit'
import { cacheDir, type Context } from '../context.ts'

/** A first start may fetch nats-server. */
const START_TIMEOUT_MS = 180_000
/** Entrypoints, nodes and NATS drain one after the other. */
const STOP_TIMEOUT_MS = 60_000

const main = (context: Context) => join(context.root, 'engine', 'all-in-one', 'src', 'main.ts')

function environment(context: Context): NodeJS.ProcessEnv {
  return { ...context.environment, KRE_DATA: context.dataDir, KRE_CACHE: cacheDir(context) }
}

/** The running engine, started when there is none. Its progress is written as steps. */
export async function ensureEngine(
  context: Context,
): Promise<{ record: EngineRecord; started: boolean }> {
  const running = await readEngineRecord(context.dataDir)
  if (running?.adminUrl) return { record: running, started: false }
  await mkdir(context.dataDir, { recursive: true, mode: 0o700 })
  const logFile = join(context.dataDir, 'engine.log')
  let offset = (await stat(logFile).catch(() => ({ size: 0 }))).size
  const log = await open(logFile, 'a', 0o600)
  const child =
    running === null
      ? spawn(process.execPath, [main(context), 'run'], {
          cwd: context.dataDir,
          env: environment(context),
          detached: true,
          stdio: ['ignore', log.fd, log.fd],
        })
      : null
  child?.unref()
  await log.close()
  let exitCode: number | null = null
  child?.once('exit', (code) => (exitCode = code ?? 1))

  const record = await waitUntil(
    'the engine',
    async () => {
      const text = (await readFile(logFile)).subarray(offset)
      const complete = text.subarray(0, text.lastIndexOf(10) + 1)
      offset += complete.length
      const lines = complete.toString('utf8').trim().split('\n')
      for (const line of lines) reportProgress(context, line)
      if (exitCode !== null)
        throw new KreError(
          'internal',
          `the engine ended while starting: ${lastError(lines)} (log: ${logFile})`,
        )
      const found = await readEngineRecord(context.dataDir)
      return found?.adminUrl ? found : null
    },
    { timeoutMs: START_TIMEOUT_MS, everyMs: 50, signal: context.signal },
  )
  return { record, started: true }
}

/** Ends the engine and all it runs; also what a killed engine left behind. @returns whether there was an engine. */
export async function stopEngine(context: Context): Promise<boolean> {
  const record = await readEngineRecord(context.dataDir)
  if (record !== null) {
    process.kill(record.pid, 'SIGTERM')
    await waitUntil(
      'the engine stopped',
      async () => (await processStartTime(record.pid)) !== record.startTime,
      {
        timeoutMs: STOP_TIMEOUT_MS,
        everyMs: 50,
      },
    )
    return true
  }
  const child = spawn(process.execPath, [main(context), 'stop'], {
    env: environment(context),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (exit) => resolve(exit ?? 1))
  })
  if (code !== 0)
    throw new KreError(
      'internal',
      `what an engine left behind could not be ended: ${errors.trim()}`,
    )
  return false
}

function reportProgress(context: Context, line: string): void {
  const entry = parseLogLine(line)
  if (entry?.progress === true) context.output.step(`  ${entry.msg}`)
}

function lastError(lines: readonly string[]): string {
  const entries = lines.map(parseLogLine)
  const fatal = entries.findLast((entry) => entry !== null && (entry.level ?? 0) >= 50)
  return fatal?.msg ?? lines.at(-1) ?? 'it said nothing'
}

function parseLogLine(line: string): { level?: number; msg: string; progress?: boolean } | null {
  try {
    return JSON.parse(line) as { level?: number; msg: string; progress?: boolean }
  } catch {
    return null // not one of our lines
  }
}
