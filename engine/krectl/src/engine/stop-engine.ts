/** Ends the laptop's engine with all it runs, and what a killed one left behind. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KreError } from '@kre/contracts'
import {
  readEngineRecord,
  readEngineRecords,
  type EngineRecord,
} from '@kre/service-kit/engine-record'
import { processStartTime, untilReaped } from '@kre/service-kit/process'
import type { Context } from '../context.ts'
import { EXIT_BUSY, spawnEngine } from './engine-child.ts'

/** Entrypoints, nodes and NATS drain one after the other. */
const STOP_TIMEOUT_MS = 60_000
/** After so long, whoever waits is told what for. */
const PATIENCE_MS = 5_000
const POLL_MS = 50

/** `leftovers`: no engine ran, but a killed one might have left processes, and none are left now. */
export type StopResult = 'stopped' | 'leftovers' | 'nothing'

/**
 * Data stays. The second interrupt (`context.forced`) takes the engine by force; so does `force`.
 *
 * @throws KreError `deadline-exceeded` when the engine hangs.
 */
export async function stopEngine(
  context: Context,
  options: { force?: boolean } = {},
): Promise<StopResult> {
  let force = options.force === true || context.forced.aborted
  const records = await readEngineRecords(context.dataDir)
  // With another engine there the one that leads would hand over, instead of ending what it runs: it comes last.
  for (const joined of records.slice(0, -1)) force = await endEngine(context, joined, force)
  const record = await readEngineRecord(context.dataDir)
  if (record !== null) {
    force = await endEngine(context, record, force)
    // An engine that ended by itself has tidied up and taken its record with it.
    const isTidy = !(await exists(join(context.dataDir, 'engine.json')))
    if (isTidy && records.length <= 1) return 'stopped'
  }
  if (!(await exists(join(context.dataDir, 'nats')))) return record === null ? 'nothing' : 'stopped'
  await sweep(context, force)
  return record === null ? 'leftovers' : 'stopped'
}

/** Ends one of several engines; what runs goes on. */
export async function leaveEngine(context: Context, engine: EngineRecord): Promise<void> {
  await endEngine(context, engine, context.forced.aborted)
}

/** @returns whether force was needed. */
async function endEngine(context: Context, engine: EngineRecord, force: boolean): Promise<boolean> {
  let forced = force
  const kill = () => {
    forced = true
    signalProcess(engine.pid, 'SIGKILL')
  }
  context.forced.addEventListener('abort', kill)
  try {
    if (force) kill()
    else signalProcess(engine.pid, 'SIGTERM')
    const began = performance.now()
    let told = false
    while ((await processStartTime(engine.pid)) === engine.startTime) {
      const waited = performance.now() - began
      if (waited > STOP_TIMEOUT_MS)
        throw new KreError(
          'deadline-exceeded',
          `the engine (process ${engine.pid}) has not ended within ${STOP_TIMEOUT_MS / 1000} s: it hangs. "krectl stop --force" kills it and ends what it runs; its log: ${join(context.dataDir, 'engine.log')}`,
        )
      if (waited > PATIENCE_MS && !told) {
        told = true
        context.output.step(
          `Process ${engine.pid} is still stopping; waiting up to ${STOP_TIMEOUT_MS / 1000} s`,
        )
      }
      await sleep(POLL_MS, undefined, { signal: context.signal })
    }
    await untilReaped([engine.pid])
    return forced
  } finally {
    context.forced.removeEventListener('abort', kill)
  }
}

/** Ends nodes, entrypoints and nats-server of an engine that is no more. */
async function sweep(context: Context, force: boolean): Promise<void> {
  const end = performance.now() + STOP_TIMEOUT_MS
  for (;;) {
    const { code, errors } = await runSweep(context, force)
    if (code === 0) return
    if (code !== EXIT_BUSY || performance.now() > end)
      throw new KreError(
        'failed-precondition',
        `what an engine left behind could not be ended: ${errors || `exit code ${code}`}`,
      )
    // An engine is there after all: just come up, or its record was damaged and is being mended.
    const record = await readEngineRecord(context.dataDir)
    if (record !== null) {
      await endEngine(context, record, force)
      if (!(await exists(join(context.dataDir, 'engine.json')))) return
    } else await sleep(POLL_MS, undefined, { signal: context.signal })
  }
}

async function runSweep(
  context: Context,
  force: boolean,
): Promise<{ code: number; errors: string }> {
  const child = spawnEngine(context, 'stop', {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(force ? { environment: { KRE_DRAIN_MS: '0' } } : {}),
  })
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exit) => resolve(exit ?? 1))
  })
  return { code, errors: errors.trim() }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return // it ended meanwhile
    throw new KreError(
      'permission-denied',
      `process ${pid} can't be stopped: it belongs to another user`,
      {},
      { cause: error },
    )
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
