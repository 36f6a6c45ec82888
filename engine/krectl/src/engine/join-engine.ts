/** Starts an engine beside the one that works on the data folder. */
import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { KreError } from '@kre/contracts'
import { readEngineRecords } from '@kre/service-kit/engine-record'
import type { Context } from '../context.ts'
import { spawnEngine } from './engine-child.ts'
import { openEngineLog } from './engine-log.ts'
import type { RunningEngine } from './start-engine.ts'

/** The engine that is joined may still be coming up, and a first start may fetch nats-server. */
const START_TIMEOUT_MS = 240_000
const POLL_MS = 50

/** Beside the log of the engine that was there first. */
export const JOINED_LOG = 'engine-joined.log'

/**
 * Starts one more engine on the data folder; where none is, it is the first one.
 *
 * @param port of its admin API; null = $KRE_ADMIN_PORT, or any free one.
 * @throws KreError with the engine's own words when it can't start.
 */
export async function joinEngine(context: Context, port: number | null): Promise<RunningEngine> {
  const log = await openEngineLog(context, JOINED_LOG)
  const file = await open(log.path, 'a', 0o600)
  const child = spawnEngine(context, 'run', {
    stdio: ['ignore', file.fd, file.fd],
    detached: true,
    environment: {
      KRE_JOIN: 'true',
      ...(port === null ? {} : { KRE_ADMIN_PORT: String(port) }),
    },
  })
  child.unref()
  await file.close()
  let exitCode: number | null = null
  child.once('exit', (code) => (exitCode = code ?? 1))
  child.once('error', () => (exitCode = 1))
  const end = performance.now() + START_TIMEOUT_MS
  try {
    while (performance.now() < end) {
      await log.showProgress()
      const records = await readEngineRecords(context.dataDir)
      const own = records.find(({ pid }) => pid === child.pid)
      if (own !== undefined && own.adminUrl !== null)
        return { record: { ...own, adminUrl: own.adminUrl }, started: true }
      if (exitCode !== null)
        throw new KreError(
          'failed-precondition',
          `the engine could not join: ${log.lastError()} (its log: ${log.path})`,
        )
      await sleep(POLL_MS, undefined, { signal: context.signal })
    }
    throw new KreError(
      'deadline-exceeded',
      `the engine has not joined within ${START_TIMEOUT_MS / 1000} s: see ${log.path}`,
    )
  } catch (error) {
    child.kill('SIGTERM')
    throw error
  }
}
