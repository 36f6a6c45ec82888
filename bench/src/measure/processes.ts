/** What the kernel knows of processes (Linux: /proc). */
import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts processor time in hundredths of a second. */
const TICK_MICROS = 10_000
const PAGE_BYTES = 4096
export const MIB = 1024 * 1024

export type ProcessTimes = { userMicros: number; systemMicros: number }

/** What a process has used so far; nothing when it has ended. */
export function processTimes(pid: number): ProcessTimes {
  const fields = statFields(pid)
  return {
    userMicros: Number(fields[11] ?? 0) * TICK_MICROS,
    systemMicros: Number(fields[12] ?? 0) * TICK_MICROS,
  }
}

/** User and system time that processes have used so far, in microseconds; a process that ended counts as 0. */
export function cpuMicros(pids: readonly number[]): number {
  return pids.map(processTimes).reduce((sum, one) => sum + one.userMicros + one.systemMicros, 0)
}

/** Resident memory of a process, in bytes; 0 when it has ended. */
export function residentBytes(pid: number): number {
  return Number(read(`/proc/${pid}/statm`).split(' ')[1] ?? 0) * PAGE_BYTES
}

/** The processes and all that they have started, and these in turn. */
export function withDescendants(pids: readonly number[]): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const parent = Number(statFields(pid)[1] ?? 0)
    children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const found = new Set(pids)
  // A set is walked to its end, what is added on the way included.
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child)
  return [...found]
}

/** From the third field on: those after the name, which may hold blanks and brackets. */
function statFields(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // it ended
  }
}
