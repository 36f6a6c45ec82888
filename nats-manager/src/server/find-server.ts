import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { processStartTime } from '@kre/service-kit'

/**
 * Pid of the nats-server that a guard wrote down, while that process lives and runs on `config`: a pid is used again,
 * and the file outlives a guard that was killed.
 */
export async function findServer(pidFile: string, config: string): Promise<number | null> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'))
  if (!(pid > 0) || (await processStartTime(pid)) === null) return null
  return (await runsOn(pid, config)) ? pid : null
}

async function runsOn(pid: number, config: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null)
  if (command !== null) return command.split('\0').includes(config)
  // No /proc: `ps` shows paths in its own encoding, so the program's name has to do.
  const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)]).catch(
    () => ({ stdout: '' }), // ps fails when there is no such process
  )
  return stdout.includes('nats-server')
}
