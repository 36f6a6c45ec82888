/** Which processors of the computer a process may use (Linux: taskset). */
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Of all threads of the processes, and of what they start from now on. @param cores as `0` or `0,1`. */
export async function pin(pids: readonly number[], cores: string): Promise<void> {
  for (const pid of pids) await run('taskset', ['-a', '-c', '-p', cores, String(pid)])
}

/** Every processor that this process may use. */
export function allCores(): string {
  return Array.from({ length: availableParallelism() }, (_, core) => core).join(',')
}
