import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseStartStage, START_STAGE_FILE, type StartStage } from '@kre/contracts'

/** How far a replica's process is; null = it is ready, or does not say. */
export function readStartStage(workPath: string): StartStage | null {
  const path = join(workPath, START_STAGE_FILE)
  return existsSync(path) ? parseStartStage(readFileSync(path, 'utf8')) : null
}
