import { GiB, MINUTE_MS, MiB, SECOND_MS, type Tracing } from '@kre/contracts'

export type LocalSettings = {
  /** SIGTERM to exit, at most; a second later comes SIGKILL. */
  readonly drainMs: number
  /** Told to the processes: without the engine's heartbeat for so long they drain and end. */
  readonly engineAbsenceMs: number
  /**
   * Start to announcement. A replica that needs longer makes its version ERROR until it is ready; one whose thread is
   * blocked all the time is killed.
   */
  readonly startTimeoutMs: number
  /** A replica that is not ready after so long is killed, or in error if it has no process to kill yet. */
  readonly readyTimeoutMs: number
  /** A ready process announces itself every two seconds; one that is silent for so long is hung. */
  readonly silenceMs: number
  /** A handler's thread that is still at work so long after all its deadlines looks blocked. */
  readonly deadlineGraceMs: number
  /** How often deadlines are looked at; a process that looks blocked twice in a row is killed. */
  readonly deadlineTickMs: number
  /** Resident memory of a replica's processes together, where the workload names no limit. */
  readonly memoryBytesMax: number
  /** Beyond it the output file of a replica starts again; the full one is kept as `.1`. */
  readonly outputBytesMax: number
  /** Told to the processes that start from now on; null = no spans. */
  readonly tracing: Tracing | null
  /** How often memory, silence and output files are looked at. */
  readonly tickMs: number
  /** How often a process that another engine started is looked at; own children report their end at once. */
  readonly adoptedPollMs: number
  /** `required`: nodes don't start where their isolation can't be enforced; `auto`: they do, and it is said. */
  readonly isolation: 'auto' | 'off' | 'required'
  /** Where entrypoints listen. */
  readonly host: string
  /** Whether two entrypoints can listen on one port, so that a roll has no gap (Linux). */
  readonly sharesPorts: boolean
}

export const DEFAULT_LOCAL_SETTINGS: LocalSettings = {
  drainMs: 10 * SECOND_MS,
  engineAbsenceMs: MINUTE_MS,
  startTimeoutMs: MINUTE_MS,
  readyTimeoutMs: 20 * MINUTE_MS,
  silenceMs: 15 * SECOND_MS,
  deadlineGraceMs: 100,
  deadlineTickMs: 200,
  memoryBytesMax: 2 * GiB,
  outputBytesMax: 10 * MiB,
  tracing: null,
  tickMs: SECOND_MS,
  adoptedPollMs: 200,
  isolation: 'auto',
  host: '127.0.0.1',
  sharesPorts: process.platform === 'linux',
}
