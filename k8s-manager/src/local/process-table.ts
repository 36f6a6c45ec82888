/** What the system knows of processes: identities that survive pid reuse, groups, memory. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const hasProc = process.platform === 'linux'
/** Columns of /proc/<pid>/stat behind the command's closing parenthesis (proc(5)). */
const STAT = { state: 0, parent: 1, group: 2, flags: 6, startTicks: 19 } as const
/** PF_KTHREAD of the kernel: no program, and so no environment. */
const KERNEL_THREAD = 0x00200000
/** USER_HZ, which is 100 on every platform that Node runs on. */
const TICKS_PER_S = 100

/** Whether memory of other processes can be read, and so limited. */
export const canMeasureMemory = hasProc

/** A text that no other process ever has, the pid's next owner included; null = no living process. */
export function processIdentity(pid: number): string | null {
  if (!hasProc) return identityByPs(pid)
  const stat = readStat(pid)
  if (stat === null || stat[STAT.state] === 'Z' || stat[STAT.state] === 'X') return null
  return `${bootId()}:${stat[STAT.startTicks]}`
}

/** Whether the process of that identity still runs. */
export function isRunning(pid: number, identity: string): boolean {
  return processIdentity(pid) === identity
}

/** Pids by process group; empty where the system has no /proc. */
export function readProcessGroups(): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const pid of listPids()) {
    const group = Number(readStat(pid)?.[STAT.group])
    if (Number.isNaN(group)) continue
    const members = groups.get(group)
    if (members === undefined) groups.set(group, [pid])
    else members.push(pid)
  }
  return groups
}

/** Living pids by user, whatever their group or session; empty where the system has no /proc. */
export function readUsers(): Map<number, number[]> {
  const users = new Map<number, number[]>()
  for (const pid of listPids()) {
    // From the status and not from the folder's owner, which is root for a process that hides itself.
    const status = readText(`/proc/${pid}/status`) ?? ''
    const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? NaN)
    if (Number.isNaN(uid) || /^State:\s+[ZX]/m.test(status)) continue
    const pids = users.get(uid)
    if (pids === undefined) users.set(uid, [pid])
    else pids.push(pid)
  }
  return users
}

/** Resident memory of the processes together, in bytes; those that are gone count nothing. */
export function residentBytes(pids: readonly number[]): number {
  let kib = 0
  for (const pid of pids) {
    const status = readText(`/proc/${pid}/status`)
    kib += Number(/^VmRSS:\s+(\d+) kB/m.exec(status ?? '')?.[1] ?? 0)
  }
  return kib * 1_024
}

/** Living processes of this user whose environment has the variable with a value that starts with `prefix`. */
export function findByEnvironment(
  variable: string,
  prefix: string,
): { pid: number; group: number }[] {
  const start = `${variable}=${prefix}`
  return listPids().flatMap((pid) => {
    const environment = readText(`/proc/${pid}/environ`)
    if (environment === null || !environment.split('\0').some((entry) => entry.startsWith(start)))
      return []
    const group = Number(readStat(pid)?.[STAT.group])
    return Number.isNaN(group) || processIdentity(pid) === null ? [] : [{ pid, group }]
  })
}

/**
 * Whether another process that started lately is between two programs: while one takes the other's place (execve), the
 * system shows no environment of it, so `findByEnvironment` can't tell whose it is.
 */
export function isAnyChangingProgram(ageMs: number): boolean {
  const uptimeS = Number.parseFloat(readText('/proc/uptime') ?? '')
  return listPids().some((pid) => {
    const stat = readStat(pid)
    if (pid === process.pid || stat === null || (Number(stat[STAT.flags]) & KERNEL_THREAD) !== 0)
      return false
    const ageS = uptimeS - Number(stat[STAT.startTicks]) / TICKS_PER_S
    if (ageS * 1_000 > ageMs || readText(`/proc/${pid}/environ`) !== '') return false
    return processIdentity(pid) !== null
  })
}

function listPids(): number[] {
  if (!hasProc) return []
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
}

function readStat(pid: number): string[] | null {
  const text = readText(`/proc/${pid}/stat`)
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

let boot: string | null = null
/** A pid and its start time may come back after a reboot. */
function bootId(): string {
  boot ??= readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  return boot
}

function identityByPs(pid: number): string | null {
  try {
    const text = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
    return text === '' || text.startsWith('Z') ? null : text.replace(/^\S+\s+/, '')
  } catch (error) {
    // ps exits with 1 when there is no such process.
    if ((error as { status?: number }).status === 1) return null
    throw error
  }
}

/** Null when the file is gone or not ours: processes end between two reads. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(code)) return null
    throw error
  }
}
