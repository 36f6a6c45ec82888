import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Logger } from '@kre/service-kit'

/** No part of memory: what is left of a core dump is what the kernel knows of the process (man 5 core). */
const FILTER = '/proc/self/coredump_filter'

/**
 * No memory in a core dump of this process, nor of what it starts: it holds keys and configuration values. That counts
 * for programs that collect dumps too, which no limit stops. Where there is `prlimit`, no file is written either.
 */
export async function disableCoreDumps(logger: Logger): Promise<void> {
  if (process.platform !== 'linux') return
  const limited = await attempt(async () =>
    promisify(execFile)('prlimit', ['--pid', String(process.pid), '--core=0:0']),
  )
  const filtered = await attempt(async () => writeFile(FILTER, '0'))
  if (filtered === null || limited === null) return
  logger.warn(
    { err: filtered },
    `core dumps are not disabled: ${FILTER} can't be written, and prlimit of util-linux is not there`,
  )
}

/** @returns what went wrong; null = nothing. */
async function attempt(effect: () => Promise<unknown>): Promise<unknown> {
  return effect().then(
    () => null,
    (error: unknown) => error,
  )
}
