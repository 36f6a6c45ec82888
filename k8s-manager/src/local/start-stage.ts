import { join } from 'node:path'
import { KiB, parseStartStage, START_STAGE_FILE, type StartStage } from '@kre/contracts'

import { readUntrustedFile } from './read-untrusted-file.ts'

const STAGE_BYTES_MAX = 64 * KiB

/** How far a replica's process is; null = it is ready, or does not say. */
export function readStartStage(workPath: string): StartStage | null {
  const content = readUntrustedFile(join(workPath, START_STAGE_FILE), STAGE_BYTES_MAX)
  return content === null ? null : parseStartStage(content.toString('utf8'))
}
