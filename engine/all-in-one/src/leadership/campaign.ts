import { setTimeout as sleep } from 'node:timers/promises'
import {
  processStartTime,
  readEngineRecord,
  waitUntil,
  type EngineRecord,
  type Logger,
} from '@kre/service-kit'
import type { Lease, LeaseStore } from '@kre/store'
import { claimDataDir, DataDirBusy, type DataDirClaim } from '../claim-data-dir.ts'
import { createLeaseWatch, LEASE_MS } from './lease-watch.ts'
import { ENGINE_LEASE } from './take-lease.ts'

/** How often an engine looks whether it may lead: as long as nothing is looked after when the one that led is gone. */
const LOOK_MS = 500
/** A process that was killed is gone at once, but for one that the system keeps waiting for a disk. */
const END_MS = 10_000

/** An engine as a holder of leases; the same text for as long as its process lives, and never again. */
export function holderOf({ pid, startTime }: Pick<EngineRecord, 'pid' | 'startTime'>): string {
  return `process ${pid} of ${startTime}`
}

/** Whether no other process can ever be meant: where the system does not say when one started, its pid is used again. */
export function isOneProcess(holder: string): boolean {
  return !holder.endsWith(' of alive')
}

/**
 * Waits beside the engine that leads until this one may: that one is gone, or has been silent for as long as its lease
 * lasts. A process that is silent may wake up in the middle of anything, so it is ended first: what both would start
 * runs on this computer, and nothing else could keep them apart.
 */
export async function campaign(
  deps: { dataDir: string; leases: Pick<LeaseStore, 'read'>; logger: Logger; now: () => number },
  signal: AbortSignal,
): Promise<DataDirClaim> {
  const { dataDir, logger } = deps
  const watch = createLeaseWatch(deps.now)
  for (;;) {
    signal.throwIfAborted()
    const claim = await tryClaim(dataDir)
    if (claim !== null) return claim
    try {
      const lease = await deps.leases.read(ENGINE_LEASE)
      if (watch(lease) >= LEASE_MS) await endSilent(dataDir, lease, logger)
    } catch (error) {
      logger.warn({ err: error }, 'the lease could not be looked at')
    }
    await sleep(LOOK_MS, undefined, { signal })
  }
}

async function tryClaim(dataDir: string): Promise<DataDirClaim | null> {
  try {
    return await claimDataDir(dataDir)
  } catch (error) {
    if (error instanceof DataDirBusy) return null
    throw error
  }
}

async function endSilent(dataDir: string, lease: Lease | null, logger: Logger): Promise<void> {
  const record = await readEngineRecord(dataDir)
  // One that has just taken the folder over has not taken the lease yet.
  if (record === null || holderOf(record) !== lease?.holder) return
  const { pid, startTime } = record
  logger.warn({ pid }, 'the engine that leads hangs: it is ended, and this one takes over')
  process.kill(pid, 'SIGKILL')
  await waitUntil(`engine ${pid} gone`, async () => (await processStartTime(pid)) !== startTime, {
    timeoutMs: END_MS,
  })
}
