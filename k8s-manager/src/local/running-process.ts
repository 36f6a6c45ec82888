/** One living process, whether this engine started it or the one before. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { KreError } from '@kre/contracts'
import type { Ending } from './ending-reason.ts'
import { isRunning, processIdentity } from './process-table.ts'

export type RunningProcess = {
  readonly pid: number
  readonly identity: string
  /** Never rejects. */
  readonly ended: Promise<Ending>
  /** SIGTERM goes to the process alone, so that it can drain its workers; SIGKILL to its whole group. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

/**
 * Starts a process in its own session: neither the engine's end nor its terminal's Ctrl-C reaches it.
 *
 * @throws KreError `failed-precondition` when the system can't start it.
 */
export async function startProcess(command: {
  file: string
  args: readonly string[]
  cwd: string
  env: Readonly<Record<string, string>>
  /** File descriptor that takes stdout and stderr. */
  output: number
}): Promise<RunningProcess> {
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: ['ignore', command.output, command.output],
  })
  const { pid } = child
  if (pid === undefined) {
    const [cause] = (await once(child, 'error')) as [Error]
    throw new KreError(
      'failed-precondition',
      `"${command.file}" can't be started in ${command.cwd}: ${cause.message}`,
      {},
      { cause },
    )
  }
  child.unref()
  let isOver = false
  const ended = new Promise<Ending>((resolve) => {
    child.once('exit', (code, signal) => {
      isOver = true
      signalGroup(pid)
      resolve(signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal })
    })
  })
  return {
    pid,
    // A child that is dead already stays a zombie until `exit` is delivered, so its pid is not reused meanwhile.
    identity: processIdentity(pid) ?? 'ended',
    ended,
    kill(signal) {
      if (isOver) return
      if (signal === 'SIGKILL') signalGroup(pid)
      else signalProcess(pid, signal)
    },
  }
}

/** Takes a process over that another engine started; its end is found by looking every `pollMs`. */
export function adoptProcess(
  { pid, identity }: { pid: number; identity: string },
  pollMs: number,
  signal: AbortSignal,
): RunningProcess {
  const watch = async (): Promise<Ending> => {
    while (isRunning(pid, identity)) {
      await sleep(pollMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return new Promise(() => undefined)
    }
    return { kind: 'unobserved' }
  }
  return {
    pid,
    identity,
    ended: watch(),
    kill(name) {
      if (!isRunning(pid, identity)) return
      if (name === 'SIGKILL') signalGroup(pid)
      else signalProcess(pid, name)
    },
  }
}

/** SIGTERM, and SIGKILL for what is left after `withinMs`; `released` ends the waiting. */
export async function drainProcess(
  process: RunningProcess,
  withinMs: number,
  released: AbortSignal,
): Promise<void> {
  process.kill('SIGTERM')
  const over = new AbortController()
  void process.ended.then(() => over.abort())
  const timedOut = await sleep(withinMs, true, {
    signal: AbortSignal.any([over.signal, released]),
  }).catch(() => false)
  if (timedOut) process.kill('SIGKILL')
}

/** SIGKILL for everything in the group of a session's leader; a group that is gone is fine. */
export function signalGroup(leader: number): void {
  signalProcess(-leader, 'SIGKILL')
}

/** A process that is gone is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // EPERM: macOS says so of a group that has only zombies left.
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (!['ESRCH', 'EPERM'].includes(code)) throw error
  }
}
