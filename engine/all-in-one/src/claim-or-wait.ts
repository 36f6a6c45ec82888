import { KreError, MINUTE_MS } from '@kre/contracts'
import { readEngineRecord } from '@kre/service-kit'
import { setTimeout as sleep } from 'node:timers/promises'
import { claimDataDir, DataDirBusy, type DataDirClaim } from './claim-data-dir.ts'

/** A first start may fetch nats-server. */
const WAIT_MS = 3 * MINUTE_MS
const LOOK_MS = 100

/**
 * Takes the data folder, or waits until the engine that has it serves: by then it has tidied up and made everything
 * that both work on.
 *
 * @returns null when another engine leads.
 * @throws KreError `deadline-exceeded` when that one does not come up.
 */
export async function claimOrWait(dataDir: string): Promise<DataDirClaim | null> {
  const end = performance.now() + WAIT_MS
  while (performance.now() < end) {
    try {
      return await claimDataDir(dataDir)
    } catch (error) {
      if (!(error instanceof DataDirBusy)) throw error
    }
    const leading = await readEngineRecord(dataDir)
    if (leading !== null && leading.adminUrl !== null) return null
    await sleep(LOOK_MS)
  }
  throw new KreError(
    'deadline-exceeded',
    `the engine that works on ${dataDir} has not come up within ${WAIT_MS / MINUTE_MS} minutes, so it can't be joined: see its log, engine.log in that folder`,
  )
}
