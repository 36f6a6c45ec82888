/**
 * Ends the process when user code blocks its thread beyond the deadline. Only another thread can see that;
 * only the end of the process frees the replica.
 */
import { Worker } from 'node:worker_threads'

/** Time after the deadline in which the main thread's own timer ends the call without a kill. */
const GRACE_MS = 250

export type Watchdog = {
  /** @param deadlineAt on the clock of `performance.now()`; 0 = nothing runs, Infinity = no deadline. */
  expectLifeBy(deadlineAt: number): void
  close(): void
}

/** Runs as script text: a thread that loads no module starts faster and stays small. */
const THREAD = `
const { workerData } = require('node:worker_threads')
const { shared, pid, offsetMs, graceMs } = workerData
const deadline = new Float64Array(shared, 0, 1)
const bell = new Int32Array(shared, 8, 1)
const now = () => Number(process.hrtime.bigint()) / 1e6 - offsetMs
while (Atomics.load(bell, 0) === 0) {
  Atomics.wait(bell, 0, 0, 100)
  const due = deadline[0]
  if (due > 0 && now() > due + graceMs) process.kill(pid, 'SIGKILL')
}
`

/** The thread starts with the first call, so that a node that nobody uses stays small. */
export function createWatchdog(): Watchdog {
  const shared = new SharedArrayBuffer(16)
  const deadline = new Float64Array(shared, 0, 1)
  const bell = new Int32Array(shared, 8, 1)
  let thread: Worker | null = null

  return {
    expectLifeBy(deadlineAt) {
      deadline[0] = deadlineAt
      if (thread !== null || deadlineAt === 0 || deadlineAt === Infinity) return
      const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now()
      thread = new Worker(THREAD, {
        eval: true,
        workerData: { shared, pid: process.pid, offsetMs, graceMs: GRACE_MS },
        env: {},
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
      })
      thread.unref()
    },
    close() {
      deadline[0] = 0
      Atomics.store(bell, 0, 1)
      Atomics.notify(bell, 0)
      thread = null
    },
  }
}

/** For user code in another process, which can be ended from here. */
export const NO_WATCHDOG: Watchdog = { expectLifeBy() {}, close() {} }
