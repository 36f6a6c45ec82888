import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Logger } from '@kre/service-kit'

/**
 * No core dump of this process, nor of what it starts: memory holds keys and configuration values. Node can't set its
 * own limits, so a tool does it.
 */
export async function disableCoreDumps(logger: Logger): Promise<void> {
  if (process.platform !== 'linux') return
  try {
    await promisify(execFile)('prlimit', ['--pid', String(process.pid), '--core=0:0'])
  } catch (error) {
    logger.warn({ err: error }, 'core dumps are not disabled: prlimit of util-linux is needed')
  }
}
