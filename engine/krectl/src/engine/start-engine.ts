/** Starts the laptop's engine as a process of its own, or finds the one that runs. */
import { mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KreError } from '@kre/contracts'
import { readEngineRecord, type EngineRecord } from '@kre/service-kit/engine-record'
import type { Context } from '../context.ts'
import { EXIT_BUSY, spawnEngine } from './engine-child.ts'
import { openEngineLog, rotateEngineLog, type EngineLog } from './engine-log.ts'

/** A first start may fetch nats-server. */
const START_TIMEOUT_MS = 180_000
const POLL_MS = 50

export type RunningEngine = { record: EngineRecord & { adminUrl: string }; started: boolean }

/**
 * The engine of the data folder, started when there is none. Safe to call from two commands at once: one of them
 * starts it, both get it. Shows the engine's progress.
 *
 * @throws KreError with the engine's own words when it can't start.
 */
export async function ensureEngine(context: Context): Promise<RunningEngine> {
  const running = await servingEngine(context)
  if (running !== null) return { record: running, started: false }
  await makeDataDir(context.dataDir)
  const log = await openEngineLog(context)
  const end = performance.now() + START_TIMEOUT_MS
  let child: StartingEngine | null = null
  try {
    while (performance.now() < end) {
      await log.showProgress()
      const record = await servingEngine(context)
      if (record !== null) {
        // What it said between the last look and its being there.
        await log.showProgress()
        return { record, started: child?.pid === record.pid }
      }
      if (child === null && (await readEngineRecord(context.dataDir)) === null)
        child = await startChild(context, log)
      // Another engine was faster, or is still on its way out: its record, or its absence, shows which.
      if (child?.exitCode() === EXIT_BUSY) child = null
      if (child !== null && child.exitCode() !== null) {
        await log.showProgress()
        throw new KreError(
          'failed-precondition',
          `the engine could not start: ${log.lastError()} (its log: ${log.path})`,
        )
      }
      await sleep(POLL_MS, undefined, { signal: context.signal })
    }
  } catch (error) {
    child?.end()
    throw error
  }
  child?.end()
  throw new KreError(
    'deadline-exceeded',
    `the engine has not started within ${START_TIMEOUT_MS / 1000} s: see ${log.path}`,
  )
}

type StartingEngine = {
  pid: number
  exitCode(): number | null
  end(): void
}

async function startChild(context: Context, log: EngineLog): Promise<StartingEngine> {
  await rotateEngineLog(log.path)
  const file = await open(log.path, 'a', 0o600)
  try {
    const child = spawnEngine(context, 'run', {
      stdio: ['ignore', file.fd, file.fd],
      detached: true,
    })
    child.unref()
    let exitCode: number | null = null
    child.once('exit', (code) => (exitCode = code ?? 1))
    child.once('error', () => (exitCode = 1))
    return {
      pid: child.pid ?? 0,
      exitCode: () => exitCode,
      end: () => void child.kill('SIGTERM'),
    }
  } finally {
    await file.close()
  }
}

async function servingEngine(context: Context): Promise<RunningEngine['record'] | null> {
  const record = await readEngineRecord(context.dataDir)
  return record === null || record.adminUrl === null
    ? null
    : { ...record, adminUrl: record.adminUrl }
}

/** Not `recursive`: below /proc and its like Node would try for ever. */
async function makeFolder(path: string): Promise<void> {
  const kind = await stat(path).catch(() => null)
  if (kind?.isDirectory() === true) return
  if (kind === null && dirname(path) !== path) await makeFolder(dirname(path))
  await mkdir(path, { mode: 0o700 }).catch(async (error: unknown) => {
    // Another command may have been faster.
    if (!(await stat(path).catch(() => null))?.isDirectory()) throw error
  })
}

export async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await makeFolder(dataDir)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why =
      code === 'EEXIST' || code === 'ENOTDIR'
        ? 'there is a file in its place'
        : code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOENT'
          ? 'it can not be written'
          : message
    throw new KreError(
      'failed-precondition',
      `the data folder ${dataDir} can't be used: ${why}. Choose another with --data`,
      {},
      { cause: error },
    )
  }
}
