/** Newer NATS credentials for processes that run, before those they have expire: in a file of their work folder. */
import { randomBytes } from 'node:crypto'
import { closeSync, constants, fchownSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { NatsAccess, Workload } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { ReplicaPaths } from './state-files.ts'

/** Written when so much of their life is over; processes look for them from the half of it on. */
const RENEW_AT = 0.4
/** A process whose credentials could not be made, or written, is tried again. */
const RETRY_MS = 5_000

/** Runs with credentials. */
export type RenewedProcess = {
  readonly workload: Workload
  readonly pid: number
  /** User of its own; null = the engine's. */
  readonly uid: number | null
  readonly paths: ReplicaPaths
}

export type AccessRenewal = {
  /** Call it every second or so, with all processes. Those that are new to it get credentials at once. */
  tick(processes: Iterable<RenewedProcess>): void
}

/** @param certificates another text whenever processes need other ones than before. */
export function createAccessRenewal(
  runnerAccess: (workload: Workload) => NatsAccess | Promise<NatsAccess>,
  logger: Logger,
  certificates: () => string = () => '',
): AccessRenewal {
  let known = certificates()
  /** By pid: when the process gets the next ones. */
  let dueAt = new Map<number, Due>()

  const renew = async ({ workload, pid, uid, paths }: RenewedProcess) => {
    // One at a time.
    dueAt.set(pid, dueIn(Infinity))
    try {
      const { credentials, tls } = await runnerAccess(workload)
      const expiresAt = credentials?.expiresUnixMs ?? Infinity
      if (credentials !== undefined && expiresAt < Infinity)
        writeForProcess(renewalPath(paths), JSON.stringify({ ...credentials, tls }), uid)
      dueAt.set(pid, dueIn((expiresAt - Date.now()) * RENEW_AT))
    } catch (error) {
      dueAt.set(pid, dueIn(RETRY_MS))
      logger.warn({ error, workload: workload.id, pid }, 'NATS credentials could not be renewed')
    }
  }

  return {
    tick(processes) {
      const running = [...processes]
      const before = known
      known = certificates()
      // With other certificates everybody gets credentials anew, as they travel together.
      if (before !== known) dueAt.clear()
      dueAt = new Map(running.map(({ pid }) => [pid, dueAt.get(pid) ?? dueIn(0)]))
      for (const process of running) if (isDue(dueAt.get(process.pid))) void renew(process)
    },
  }
}

/**
 * By the wall clock, which says when credentials are over, and by one that nobody sets: the server counts from when it
 * has let a process in, and goes by a clock of its own.
 */
type Due = { readonly unixMs: number; readonly steadyMs: number }

function dueIn(ms: number): Due {
  return { unixMs: Date.now() + ms, steadyMs: performance.now() + ms }
}

function isDue(due: Due | undefined): boolean {
  return due !== undefined && (due.unixMs <= Date.now() || due.steadyMs <= performance.now())
}

/** The access of a process that is about to start. */
export function withRenewal(access: NatsAccess, paths: ReplicaPaths): NatsAccess {
  const { credentials } = access
  if (credentials === undefined) return access
  return { ...access, credentials: { ...credentials, renewalPath: renewalPath(paths) } }
}

function renewalPath({ work }: ReplicaPaths): string {
  return join(work, 'nats.json')
}

/**
 * The folder is the process's: whatever it has put there, no link is followed and nothing of others is written to. The
 * folder itself lies in one that the process can't change.
 */
function writeForProcess(path: string, text: string, uid: number | null): void {
  const draft = join(dirname(path), `.nats-${randomBytes(8).toString('hex')}`)
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const file = openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    writeSync(file, text)
    if (uid !== null) fchownSync(file, uid, uid)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}
