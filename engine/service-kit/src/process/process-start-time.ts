import { readFile } from 'node:fs/promises'

/**
 * When a process started, in the kernel's words: with the pid it names one process for ever, a pid alone is used again.
 * Null when the process is gone (a zombie is). Where there is no /proc, 'alive' for a living one.
 */
export async function processStartTime(pid: number): Promise<string | null> {
  if (!(pid > 0)) return null
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (stat === null) return 'alive'
  // Field 22; the second field is the name in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? null : (fields[19] ?? 'alive')
}
